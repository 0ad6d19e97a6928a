package charging_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/postgres/postgrestest"
)

// BenchmarkCalls decides about calls of I, U, U and T of 2,000 subscribers, 256 requests at a time. One operation is one
// request that is durable.
func BenchmarkCalls(b *testing.B) {
	w := newBench(b)
	e := w.engine(w.store, nil)
	const subscribers, inFlight = 2000, 256
	for i := range subscribers {
		w.subscriber(fmt.Sprintf("4917%06d", i), 1_000_000_000)
	}
	kinds := []ocs.RequestType{ocs.Initial, ocs.Update, ocs.Update, ocs.Termination}
	free := make(chan int, inFlight)
	for caller := range inFlight {
		free <- caller
	}
	step := make([]int, inFlight)
	b.ResetTimer()
	for range b.N {
		caller := <-free
		n := step[caller]
		step[caller]++
		msisdn, session := fmt.Sprintf("4917%06d", (caller*7+n/4*257)%subscribers), fmt.Sprintf("tas1.ims.test;%d;%d", caller, n/4)
		r := ccr(msisdn, session, kinds[n%4], uint32(n%4), 30*min(1, n%4), n%4 < 3)
		e.Submit(context.Background(), r, func(a ocs.Answer) {
			want(b, a, ocs.Granted)
			free <- caller
		})
	}
	for range inFlight {
		<-free
	}
	b.StopTimer()
	postgrestest.CheckInvariants(b, w.store)
}
