package charging

import (
	"errors"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
)

// What a client is told of a transfer without an outcome: that nothing was written only when nothing can have been.
func TestWithoutOutcome(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		before  func(*moving)
		verdict ocs.Verdict
		want    error
	}{
		{"never begun", func(*moving) {}, ocs.Busy, ErrBusy},
		{"running", func(m *moving) { m.begin() }, ocs.Busy, ErrUnknownOutcome},
		{"rolled back", func(m *moving) { m.begin(); m.end(false) }, ocs.Busy, ErrBusy},
		{"rolled back and running again", func(m *moving) { m.begin(); m.end(false); m.begin() }, ocs.Busy, ErrUnknownOutcome},
		{"unknown", func(m *moving) { m.begin(); m.end(true) }, ocs.Busy, ErrUnknownOutcome},
		{"unknown, then rolled back", func(m *moving) { m.begin(); m.end(true); m.begin(); m.end(false) }, ocs.Busy, ErrUnknownOutcome},
		{"impossible", func(m *moving) { m.begin(); m.end(false) }, ocs.UnableToComply, ErrUnable},
		{"impossible after unknown", func(m *moving) { m.begin(); m.end(true) }, ocs.UnableToComply, ErrUnknownOutcome},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := newMoving(Transfer{}, time.Minute)
			test.before(p.moving)
			p.answer(ocs.Answer{Verdict: test.verdict})
			if got := (<-p.moving.done).err; !errors.Is(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
			if p.moving.begin() {
				t.Error("it is begun though its client was told")
			}
		})
	}
}

func TestCodeHash(t *testing.T) {
	t.Parallel()
	hash := hashCode([]byte("key"), "123456")
	if again := hashCode([]byte("key"), "123456"); again == hash {
		t.Error("two hashes of one code are the same")
	}
	for _, test := range []struct {
		key, hash, code string
		want            bool
	}{
		{"key", hash, "123456", true}, {"key", hash, "123457", false}, {"other", hash, "123456", false},
		{"key", "", "", false}, {"key", "nothing", "123456", false},
	} {
		if got := isCode([]byte(test.key), test.hash, test.code); got != test.want {
			t.Errorf("%q with %q: %v, want %v", test.code, test.key, got, test.want)
		}
	}
}
