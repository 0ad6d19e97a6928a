package charging_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/postgres/postgrestest"
	"github.com/gyro-ocs/gyro/rating"
	"github.com/gyro-ocs/gyro/transfer"
)

// I20: a claim races with who has the minutes and sends them on and talks: what is frozen and what is spent are together
// no more than there was, and consent gives back exactly what was frozen.
func TestI20_ClaimAgainstSpend(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	engines := b.twoEngines(withPolicy(openPolicy()))
	third := b.subscriber(cem, 60)
	var gone rating.Units
	whole, part, none := 0, 0, 0
	for round := range 12 {
		ann, ben := fmt.Sprintf("49171%04d", round), fmt.Sprintf("49172%04d", round)
		from, to := b.subscriber(ann, 6000), b.subscriber(ben, 60)
		sent := do(t, engines[0], send(ann, ben, "r", 900))
		wantRefusal(t, sent, transfer.None)
		var claim, onward transfer.Outcome
		var used rating.Units
		var all sync.WaitGroup
		steps := []func(){
			func() { claim = do(t, engines[round%2], on(ann, transfer.OpReverse, sent.Answer.Reference, "claim")) },
			func() {
				onward = do(t, engines[(round+1)%2], send(ben, cem, "on", []rating.Units{120, 900, 960}[round%3]))
			},
			func() {
				session := fmt.Sprint("c", round)
				if g := granted(ask(engines[0], ccr(ben, session, ocs.Initial, 0, 0, true))); g > 0 {
					used = g / 2
					want(t, ask(engines[1], ccr(ben, session, ocs.Termination, 1, int(used), false)), ocs.Granted)
				}
			},
		}
		rand.Shuffle(len(steps), func(i, j int) { steps[i], steps[j] = steps[j], steps[i] })
		for _, step := range steps {
			all.Go(step)
		}
		all.Wait()
		var spent, frozen rating.Units
		if onward.Answer.Refusal == transfer.None {
			spent = onward.Answer.Seconds
		}
		if claim.Answer.Refusal == transfer.None {
			frozen = claim.Answer.Seconds
			if frozen+claim.Answer.Short != 900 || frozen == 0 {
				t.Errorf("claim %+v", claim.Answer)
			}
		} else {
			wantRefusal(t, claim, transfer.AlreadySpent)
		}
		switch frozen {
		case 900:
			whole++
		case 0:
			none++
		default:
			part++
		}
		if frozen+spent+used > 960 {
			t.Errorf("%d frozen, %d sent on and %d used of 960", frozen, spent, used)
		}
		b.wantBalance(to, 960-spent-used, frozen)
		if frozen > 0 {
			wantRefusal(t, do(t, engines[1], on(ben, transfer.OpReverseAccept, claim.Answer.Reference, "yes")), transfer.None)
		}
		b.wantBalance(to, 960-spent-used-frozen, 0)
		b.wantBalance(from, 5100+frozen, 0)
		gone += spent
	}
	b.wantBalance(third, 60+gone, 0)
	t.Logf("frozen: all %d times, a part %d times, nothing %d times", whole, part, none)
	postgrestest.CheckInvariants(t, b.store)
}
