package cdr

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// A remote is a destination behind SFTP. Files are written beside their place and renamed.
type remote struct {
	connection *ssh.Client
	client     *sftp.Client
	dir        string
}

// dialTimeout bounds how long a host may take to answer and to let us in.
const dialTimeout = 20 * time.Second

func openSFTP(ctx context.Context, out string, access Access) (Destination, error) {
	where, err := url.Parse(out)
	if err != nil || where.Hostname() == "" || where.User == nil || where.User.Username() == "" {
		return nil, fmt.Errorf("%q names no place: write sftp://USER@HOST/PATH", where.Redacted())
	}
	if _, has := where.User.Password(); has {
		return nil, errors.New("a password does not belong into --out, where others see it: set GYRO_SFTP_PASSWORD")
	}
	config, err := access.ssh(where.User.Username())
	if err != nil {
		return nil, err
	}
	port := where.Port()
	if port == "" {
		port = "22"
	}
	address := net.JoinHostPort(where.Hostname(), port)
	dialer := net.Dialer{Timeout: dialTimeout}
	socket, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("sftp: %w", err)
	}
	if err := socket.SetDeadline(time.Now().Add(dialTimeout)); err != nil {
		return nil, errors.Join(err, socket.Close())
	}
	conn, channels, requests, err := ssh.NewClientConn(socket, address, config)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("sftp: %w", hostFault(err, where.Hostname())), socket.Close())
	}
	if err := socket.SetDeadline(time.Time{}); err != nil {
		return nil, errors.Join(err, socket.Close())
	}
	connection := ssh.NewClient(conn, channels, requests)
	client, err := sftp.NewClient(connection)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("sftp: %w", err), connection.Close())
	}
	r := &remote{connection, client, path.Clean("/" + where.Path)}
	if err := client.MkdirAll(r.dir); err != nil {
		return nil, errors.Join(fmt.Errorf("sftp: make the directory: %w", err), r.Close())
	}
	return r, nil
}

// hostFault says what to do about a host whose key is not known, or another one.
func hostFault(err error, host string) error {
	if fault, ok := errors.AsType[*knownhosts.KeyError](err); ok {
		if len(fault.Want) == 0 {
			return fmt.Errorf("the key of %s is not known: compare it, and add it to the known hosts (ssh-keyscan %s)", host, host)
		}
		return fmt.Errorf("%s has another key than the known hosts say: perhaps it is another host", host)
	}
	return err
}

// ssh says who we are and whom we believe.
func (a Access) ssh(user string) (*ssh.ClientConfig, error) {
	home := a.Getenv("HOME")
	known := a.KnownHosts
	if known == "" {
		known = filepath.Join(home, ".ssh", "known_hosts")
	}
	check, err := knownhosts.New(known)
	if err != nil {
		return nil, fmt.Errorf("sftp needs the keys of hosts that are known: %w", err)
	}
	config := &ssh.ClientConfig{User: user, HostKeyCallback: check, Timeout: dialTimeout}
	identities := []string{a.Identity}
	if a.Identity == "" {
		identities = []string{filepath.Join(home, ".ssh", "id_ed25519"), filepath.Join(home, ".ssh", "id_ecdsa"), filepath.Join(home, ".ssh", "id_rsa")}
	}
	var keys []ssh.Signer
	for _, file := range identities {
		text, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) && a.Identity == "" {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read the key for sftp: %w", err)
		}
		key, err := ssh.ParsePrivateKey(text)
		if err != nil {
			return nil, fmt.Errorf("read the key for sftp: %w", err)
		}
		keys = append(keys, key)
	}
	if len(keys) > 0 {
		config.Auth = append(config.Auth, ssh.PublicKeys(keys...))
	}
	if password := a.Getenv("GYRO_SFTP_PASSWORD"); password != "" {
		config.Auth = append(config.Auth, ssh.Password(password))
	}
	if len(config.Auth) == 0 {
		return nil, errors.New("sftp needs a key in ~/.ssh, --identity, or GYRO_SFTP_PASSWORD")
	}
	return config, nil
}

func (r *remote) Near() bool { return false }

func (r *remote) Close() error {
	err := errors.Join(r.client.Close(), r.connection.Close())
	if errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) {
		return nil // the host was faster
	}
	return err
}

func (r *remote) Open(_ context.Context, name string) (io.ReadCloser, error) {
	return r.client.Open(path.Join(r.dir, name))
}

func (r *remote) Size(_ context.Context, name string) (int64, error) {
	info, err := r.client.Stat(path.Join(r.dir, name))
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func (r *remote) Remove(_ context.Context, name string) error {
	if err := r.client.Remove(path.Join(r.dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (r *remote) Create(_ context.Context, name string) (Upload, error) {
	for try := 0; ; try++ {
		part := path.Join(r.dir, fmt.Sprintf(".%s.%d.%d.part", name, os.Getpid(), try))
		file, err := r.client.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL)
		if err == nil {
			return &remoteUpload{file, r, part, path.Join(r.dir, name)}, nil
		}
		if _, missing := r.client.Stat(part); missing != nil || try == 100 {
			return nil, fmt.Errorf("sftp: %w", err)
		}
	}
}

type remoteUpload struct {
	*sftp.File
	remote     *remote
	part, name string
}

// Commit makes the file durable where the host can, and gives it its name: in one step where the host can, else after
// taking an older one away.
func (u *remoteUpload) Commit() error {
	if _, can := u.remote.client.HasExtension("fsync@openssh.com"); can {
		if err := u.Sync(); err != nil {
			return errors.Join(fmt.Errorf("sftp: %w", err), u.Abort())
		}
	}
	if err := u.Close(); err != nil {
		return fmt.Errorf("sftp: %w", err)
	}
	if _, can := u.remote.client.HasExtension("posix-rename@openssh.com"); can {
		if err := u.remote.client.PosixRename(u.part, u.name); err != nil {
			return fmt.Errorf("sftp: %w", err)
		}
		return nil
	}
	if err := u.remote.client.Remove(u.name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("sftp: %w", err)
	}
	if err := u.remote.client.Rename(u.part, u.name); err != nil {
		return fmt.Errorf("sftp: %w", err)
	}
	return nil
}

func (u *remoteUpload) Abort() error {
	return errors.Join(u.Close(), u.remote.client.Remove(u.part))
}
