package integration

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"
)

// Two servers share a database, and the same request comes to both at once, several times, by HTTP and by Diameter: it has one effect,
// and every copy gets the same answer.
func TestSameTransferOverTwoServersMovesOnce(t *testing.T) {
	t.Parallel()
	db := ownDatabase(t)
	args := []string{
		"--database", db.dsn, "--transfer-policy", boundlessPolicy(t), "--transfer-diameter-operations", "all",
	}
	servers := []*server{startServer(t, args...), startServer(t, append(args, "--origin-host", "ocs2.ocs.test")...)}
	const start, keys = int64(600_000), 12
	ann, ben := servers[0].newSubscriber(t, start), servers[1].newSubscriber(t, start)
	host := newHost() // that of one client, which is connected to both
	var links []*link
	for _, s := range servers {
		links = append(links, s.connect(t, host))
	}
	want := start
	for n := range keys {
		tmf := order{fmt.Sprintf("tmf/%d", n), true, ann, ben, 60 * int64(1+n)}
		care := order{fmt.Sprintf("care/%d", n), false, ben, ann, 60 * int64(2+n)}
		ccr := transferCCR(links[0], ann, 60*uint32(3+n), param(1, "1"), param(3, "tel:"+ben), param(4, fmt.Sprintf("gy/%d", n)))

		var pending []<-chan message
		for range 2 {
			for _, l := range links {
				pending = append(pending, l.start(ccr))
				ccr = ccr.resent()
			}
		}
		tmfs, cares := tmf.sendAtOnce(t, servers), care.sendAtOnce(t, servers)
		answers := answersTo(t, pending)

		for _, answer := range answers {
			wantCode(t, answer, 2001)
			sameAnswer(t, answers[0], answer)
		}
		if units, _ := answers[0].find(granted, ccTime); units.uint32() != 60*uint32(3+n) {
			t.Errorf("granted %d s, want %d, in %v", units.uint32(), 60*(3+n), answers[0])
		}
		for _, r := range tmfs {
			if _, err := tmf.outcome(r); err != nil || r != tmfs[0] {
				t.Errorf("%s: got %v %v, want %v", tmf.key, r, err, tmfs[0])
			}
		}
		first, err := care.outcome(cares[0])
		firsts := 0
		for _, r := range cares {
			reference, fault := care.outcome(r)
			if err != nil || fault != nil || reference != first {
				t.Errorf("%s: got %v, want the transfer %s", care.key, r, first)
			}
			var told struct{ Repeated bool }
			if r.read(t, &told); !told.Repeated {
				firsts++
			}
		}
		if firsts != 1 {
			t.Errorf("%s: %d answers say that it was done now, want one", care.key, firsts)
		}
		want += care.seconds - tmf.seconds - 60*int64(3+n)
	}
	for _, s := range servers {
		s.wantAccount(t, ann, want, 0)
		s.wantAccount(t, ben, 2*start-want, 0)
	}
	servers[1].makeCall(t)
	db.wantSound(t, callsAndTransfers)
}

// sendAtOnce sends an order to every server twice, all at the same time, and each again that could not say what became of it.
func (o order) sendAtOnce(t *testing.T, servers []*server) []reply {
	t.Helper()
	replies := make([]reply, 2*len(servers))
	var all sync.WaitGroup
	for i := range replies {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			for {
				r, err := o.send(ctx, servers[i%len(servers)].endpoint)
				if err != nil {
					t.Errorf("%s: %v", o.key, err)
					return
				}
				if replies[i] = r; r.status != http.StatusServiceUnavailable {
					return
				}
			}
		})
	}
	all.Wait()
	return replies
}

// param is a Service-Parameter-Info of spec/transfer 4.2.
func param(kind uint32, value string) avp {
	return group(serviceParameter, u32(parameterType, kind), text(parameterValue, value))
}

// paramOf returns the value of a parameter of an answer; empty: there is none.
func paramOf(answer message, kind uint32) string {
	for _, p := range answer.all(serviceParameter) {
		if number, ok := p.find(parameterType); ok && number.uint32() == kind {
			value, _ := p.find(parameterValue)
			return value.text()
		}
	}
	return ""
}

// transferCCR is a request about minutes in profile A, of a session of its own.
func transferCCR(l *link, sender string, seconds uint32, parameters ...avp) message {
	avps := []avp{text(sessionID, fmt.Sprintf("%s;%d;transfer", l.host, lastCall.Add(1)))}
	avps = append(avps, l.origin()...)
	avps = append(avps, text(destinationRealm, serverRealm), u32(authApplicationID, appCreditControl),
		text(serviceContextID, "minute-transfer.v1@ocs.example"), u32(ccRequestType, typeEvent), u32(ccRequestNumber, 0),
		u32(requestedAction, 0), stamp(eventTimestamp, time.Now()), e164(sender), wants(seconds))
	return message{
		flags: flagRequest | flagProxy, command: cmdCreditControl, app: appCreditControl, avps: append(avps, parameters...),
	}
}
