package charging_test

import (
	"fmt"
	"reflect"
	"sync"
	"testing"

	"github.com/gyro-ocs/gyro/ocs/postgres/postgrestest"
	"github.com/gyro-ocs/gyro/rating"
	"github.com/gyro-ocs/gyro/transfer"
)

// I4, I5: one reference with two contents, many copies of each over two servers, at once: one of the contents is the
// first, all its copies have one answer, the other is refused, and only one is posted.
func TestI4_OneReferenceOfTwoContents(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	engines := b.twoEngines(withPolicy(openPolicy()))
	from, to := b.subscriber(ann, 6000), b.subscriber(ben, 60)
	var moved rating.Units
	for round := range 8 {
		reference := fmt.Sprint("r", round)
		answers := make([]transfer.Answer, 12)
		contents := []rating.Units{60, 120}
		var all sync.WaitGroup
		for i := range answers {
			all.Go(func() { answers[i] = do(t, engines[i/2%2], send(ann, ben, reference, contents[i%2])).Answer })
		}
		all.Wait()
		won := 0
		if answers[0].Refusal == transfer.ReferenceReused {
			won = 1
		}
		moved += contents[won]
		for i, a := range answers {
			switch {
			case i%2 == won && !reflect.DeepEqual(a, answers[won]):
				t.Errorf("copies of %s are answered %+v and %+v", reference, answers[won], a)
			case i%2 == won && a.Refusal != transfer.None, i%2 != won && a.Refusal != transfer.ReferenceReused:
				t.Errorf("%s with %d s: %q", reference, contents[i%2], a.Refusal)
			}
		}
	}
	b.wantBalance(from, 6000-moved, 0)
	b.wantBalance(to, 60+moved, 0)
	if n := one[int64](b, `SELECT count(DISTINCT movement) FROM posting WHERE kind = 'transfer'`); n != 8 {
		t.Errorf("%d movements, want 8", n)
	}
	postgrestest.CheckInvariants(t, b.store)
}
