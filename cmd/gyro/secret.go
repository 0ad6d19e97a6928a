package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"strings"

	"golang.org/x/term"
)

// secret reads a secret: from the terminal without echo, else a line of stdin. It never comes from the command line,
// which other users of the machine can see.
func (env *environment) secret(prompt string) (string, error) {
	if f, ok := env.stdin.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		_, _ = fmt.Fprint(env.stderr, prompt)
		typed, err := term.ReadPassword(int(f.Fd()))
		_, _ = fmt.Fprintln(env.stderr)
		if err != nil {
			return "", fmt.Errorf("read a secret from the terminal: %w", err)
		}
		return strings.TrimSpace(string(typed)), nil
	}
	line, err := env.line()
	if errors.Is(err, io.EOF) {
		return "", usagef("a secret is needed on stdin, and there is none")
	}
	return strings.TrimSpace(line), err
}

// maxLine is the longest line that is read of stdin.
const maxLine = 4096

// line reads one line of stdin, without what ends it. At the end of stdin the error is io.EOF.
func (env *environment) line() (string, error) {
	if env.lines == nil {
		env.lines = bufio.NewReaderSize(env.stdin, maxLine)
	}
	line, tooLong, err := env.lines.ReadLine()
	switch {
	case tooLong:
		return "", usagef("a line of stdin is longer than %d characters", maxLine)
	case err != nil && !errors.Is(err, io.EOF):
		return "", fmt.Errorf("read stdin: %w", err)
	case err != nil:
		return "", io.EOF
	}
	return string(line), nil
}

// person is who uses this command, as far as the system knows.
func (env *environment) person() string {
	for _, variable := range []string{"GYRO_PERSON", "SUDO_USER", "USER"} {
		if name := env.getenv(variable); name != "" {
			return name
		}
	}
	if who, err := user.Current(); err == nil {
		return who.Username
	}
	return ""
}
