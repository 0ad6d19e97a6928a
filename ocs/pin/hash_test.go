package pin

import (
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/argon2"
)

// The test vector of the reference implementation, at our version and type.
func TestArgon2IsTheStandard(t *testing.T) {
	t.Parallel()
	// echo -n password | argon2 somesalt -id -t 2 -k 65536 -p 1 -l 32 (test.c of the reference implementation)
	got := hex.EncodeToString(argon2.IDKey([]byte("password"), []byte("somesalt"), 2, 65536, 1, 32))
	if want := "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestHashOfOneIsNoHashOfAnother(t *testing.T) {
	t.Parallel()
	h := newHasher(pepper)
	stored := h.make(anna, right, salt())
	parsed, err := h.read(stored)
	if err != nil {
		t.Fatal(err)
	}
	if !h.matches(parsed, anna, right) || h.matches(parsed, ben, right) || h.matches(parsed, anna, other) {
		t.Error("a hash must match its PIN and its subscriber alone")
	}
	if again := h.make(anna, right, salt()); again == stored {
		t.Error("two hashes of one PIN are equal")
	}
}

func TestBrokenHashes(t *testing.T) {
	t.Parallel()
	h := newHasher(pepper)
	good := h.make(anna, right, salt())
	for _, text := range []string{
		"", "x", strings.Replace(good, "argon2id", "argon2i", 1), strings.Replace(good, "v=19", "v=16", 1),
		strings.Replace(good, "m=19456", "m=4000000000", 1), strings.Replace(good, "t=2", "t=0", 1), strings.Replace(good, "p=1", "p=0", 1),
		strings.Replace(good, "m=19456", "m=-1", 1), good[:len(good)-4], good + "$", strings.Replace(good, "keyid", "key", 1),
		good[:strings.LastIndex(good, "$")+1],
	} {
		if _, err := h.read(text); !errors.Is(err, errBroken) {
			t.Errorf("%q: %v, want errBroken", text, err)
		}
	}
}

func TestPepperFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	name := filepath.Join(dir, "pepper")
	var starting sync.WaitGroup
	peppers := make([]string, 8)
	for i := range peppers { // servers that start at once
		starting.Go(func() {
			p, err := PepperFile(name)
			if err != nil {
				t.Error(err)
			}
			peppers[i] = string(p)
		})
	}
	starting.Wait()
	for _, p := range peppers {
		if p != peppers[0] || len(p) != pepperLength {
			t.Fatalf("peppers differ or are %d octets long", len(p))
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
	info, err := os.Stat(name)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := os.Chmod(name, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := PepperFile(name); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("others may read it: %v", err)
	}
}

func TestPepperFaults(t *testing.T) {
	t.Parallel()
	secret := strings.Repeat("ab", pepperLength-1)
	for _, text := range []string{"", secret, "z" + secret + "cd"} {
		if _, err := ParsePepper(text); err == nil || text != "" && strings.Contains(err.Error(), text) {
			t.Errorf("%q: %v", text, err)
		}
	}
	name := filepath.Join(t.TempDir(), "pepper")
	if err := os.WriteFile(name, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := PepperFile(name); err == nil {
		t.Error("a broken file was accepted, or replaced")
	}
	if _, err := PepperFile(filepath.Join(name, "none", "pepper")); err == nil {
		t.Error("a directory that is not there")
	}
}

func BenchmarkCheck(b *testing.B) {
	h := newHasher(pepper)
	stored, err := h.read(h.make(anna, right, salt()))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		h.matches(stored, anna, right)
	}
}
