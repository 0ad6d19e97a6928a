package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// A tree is the processes below one, as /proc tells of them.
type tree []process

type process struct {
	pid, parent int
	name        string        // of the program, without path
	own, ended  time.Duration // processor time of its own; of children that ended and that it waited for
}

// clockTick is the unit of time in /proc/PID/stat: USER_HZ, which is 100 on every Linux that Go runs on.
const clockTick = time.Second / 100

// processTree returns the process root and all below it.
func processTree(root int) (tree, error) {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	children := map[int]tree{}
	found := tree{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it ended meanwhile
		}
		p, err := parseStat(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if p.pid == root {
			found = append(found, p)
		}
		children[p.parent] = append(children[p.parent], p)
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("no process %d in /proc: processor time can be measured on Linux only", root)
	}
	for i := 0; i < len(found); i++ {
		found = append(found, children[found[i].pid]...)
	}
	return found, nil
}

// parseStat reads /proc/PID/stat (proc_pid_stat(5)). The name stands in parentheses and may hold spaces and parentheses.
func parseStat(text []byte) (p process, err error) {
	open, end := bytes.IndexByte(text, '('), bytes.LastIndexByte(text, ')')
	if open < 0 || end < open {
		return p, errors.New("no name in parentheses")
	}
	fields := strings.Fields(string(text[end+1:])) // from field 3 on
	if len(fields) < 15 {
		return p, fmt.Errorf("%d fields after the name", len(fields))
	}
	var faults []error
	whole := func(text string) int {
		n, err := strconv.Atoi(text)
		faults = append(faults, err)
		return n
	}
	ticks := func(user, system int) time.Duration {
		return time.Duration(whole(fields[user-3])+whole(fields[system-3])) * clockTick
	}
	p = process{
		pid:    whole(strings.TrimSpace(string(text[:open]))),
		name:   string(text[open+1 : end]),
		parent: whole(fields[1]),
		own:    ticks(14, 15),
		ended:  ticks(16, 17),
	}
	return p, errors.Join(faults...)
}

func isPostgres(name string) bool { return strings.HasPrefix(name, "postgres") || name == "postmaster" }

// processors is the processor time that each part of a run used.
type processors struct {
	server, postgres, generator time.Duration
}

func (p processors) since(before processors) processors {
	return processors{p.server - before.server, p.postgres - before.postgres, p.generator - before.generator}
}

// measure reads what the server with the process id server, its Postgres and this process have used so far.
func measure(server int) (p processors, err error) {
	below, err := processTree(server)
	if err != nil {
		return p, err
	}
	text, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return p, err
	}
	self, err := parseStat(text)
	if err != nil {
		return p, err
	}
	for _, process := range below {
		if isPostgres(process.name) {
			p.postgres += process.own + process.ended // a connection that was closed stays in the books of its parent
		} else {
			p.server += process.own
		}
	}
	p.generator = self.own
	return p, nil
}
