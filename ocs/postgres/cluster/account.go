package cluster

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// An account is who Postgres runs as.
type account struct {
	uid, gid  int
	change    bool // to uid and gid, which only root may
	namespace bool // as ourselves, who are root, under the number of nobody
}

// nobody is the number that root has inside the namespace, and the user of last resort.
const nobody = 65534

// chooseAccount finds an account other than root that can work in dir, and gives it dir when root made that.
func chooseAccount(ctx context.Context, dir, data string, b binaries) (account, error) {
	if os.Geteuid() != 0 {
		return account{uid: os.Geteuid(), gid: os.Getegid()}, nil
	}
	owner, exists, err := ownerOf(data)
	if err != nil {
		return account{}, err
	}
	if !exists { // nobody has run it yet
		if owner, _, err = ownerOf(dir); err != nil {
			return account{}, err
		}
		if owner.uid == 0 {
			return handOver(ctx, dir, b)
		}
	}
	if owner.uid == 0 {
		owner = account{namespace: true}
	}
	return owner, owner.reach(ctx, dir, b)
}

// handOver gives dir, which root made, to user postgres or nobody, or keeps it for the namespace when that user is shut
// out further up.
func handOver(ctx context.Context, dir string, b binaries) (account, error) {
	wanted := account{uid: nobody, gid: nobody, change: true}
	if u, err := user.Lookup("postgres"); err == nil {
		uid, uidErr := strconv.Atoi(u.Uid)
		gid, gidErr := strconv.Atoi(u.Gid)
		if uidErr == nil && gidErr == nil && uid != 0 {
			wanted.uid, wanted.gid = uid, gid
		}
	}
	if err := wanted.give(dir); err != nil {
		return account{}, err
	}
	shutOut := wanted.reach(ctx, dir, b)
	if shutOut == nil {
		return wanted, nil
	}
	if err := os.Chown(dir, 0, 0); err != nil {
		return account{}, err
	}
	root := account{namespace: true}
	if err := root.reach(ctx, dir, b); err != nil {
		return account{}, errors.Join(shutOut, err)
	}
	return root, nil
}

func ownerOf(name string) (owner account, exists bool, err error) {
	info, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return account{}, false, nil
	}
	if err != nil {
		return account{}, false, err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return account{}, false, fmt.Errorf("owner of %s is not known", name)
	}
	return account{uid: int(stat.Uid), gid: int(stat.Gid), change: true}, true, nil
}

// reach proves that a can enter dir and run Postgres, by doing both.
func (a account) reach(ctx context.Context, dir string, b binaries) error {
	cmd := exec.CommandContext(ctx, b.path("postgres"), "--version")
	cmd.Dir = dir
	cmd.Env = environment()
	cmd.SysProcAttr = a.attributes()
	if _, err := runLocked(cmd); err != nil {
		return fmt.Errorf("%s cannot work in %s: %w (choose a data directory that it can enter, or let it enter the "+
			"directories above with chmod o+x)", a, dir, err)
	}
	return nil
}

func (a account) String() string {
	if a.namespace {
		return "root in a user namespace"
	}
	if u, err := user.LookupId(strconv.Itoa(a.uid)); err == nil {
		return "user " + u.Username
	}
	return "user " + strconv.Itoa(a.uid)
}

// give hands a file that we made to a.
func (a account) give(name string) error {
	if !a.change {
		return nil
	}
	return os.Chown(name, a.uid, a.gid)
}
