package ctf

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// Every way a call can go, in the words that a person sees.
func TestCallInWords(t *testing.T) {
	t.Parallel()
	from, to := "491700000001", "+4930123456"
	tests := []struct {
		name   string
		script func(request) *reply
		call   Call
		want   string
		end    End
		code   uint32
		talked uint32
	}{
		{
			name: "the caller hangs up", script: bucket(600),
			call: Call{From: from, To: to, Talk: 75 * time.Second, AnswerDelay: 4 * time.Second},
			want: `
CCR-I 0  asks for quota for +491700000001 to call +4930123456
CCA-I 0  2001 granted 60 s, valid 360 s
CCR-U 1  used 60 s (quota used up), asks for quota
CCA-U 1  2001 granted 60 s, valid 360 s
CCR-T 2  used 15 s (final), the call is over
CCA-T 2  2001 success`,
			end: Completed, code: 2001, talked: 75,
		},
		{
			name: "the balance ends: the final unit cuts the call. RFC 8506 5.6.1", script: bucket(90),
			call: Call{From: from, To: to, Talk: time.Hour},
			want: `
CCR-I 0  asks for quota for +491700000001 to call +4930123456
CCA-I 0  2001 granted 60 s, valid 360 s
CCR-U 1  used 60 s (quota used up), asks for quota
CCA-U 1  2001 granted 30 s, the last of the balance (then terminate), valid 360 s
CCR-T 2  used 30 s (final), the call is over
CCA-T 2  2001 success`,
			end: CutOff, code: 2001, talked: 90,
		},
		{
			name: "an empty account is refused, and no CCR-T follows", script: bucket(0),
			call: Call{From: from, To: to, Talk: time.Minute},
			want: `
CCR-I 0  asks for quota for +491700000001 to call +4930123456
CCA-I 0  4012 credit limit reached`,
			end: Refused, code: 4012,
		},
		{
			name: "credit gone at an update: the server ended the session",
			script: func(r request) *reply {
				if r.kind == updateRequest {
					return &reply{code: 4012, service: 4012, low: true}
				}
				return granted(60, 0)
			},
			call: Call{From: from, To: to, Talk: time.Hour, Ask: 120},
			want: `
CCR-I 0  asks for 120 s for +491700000001 to call +4930123456
CCA-I 0  2001 granted 60 s
CCR-U 1  used 60 s (quota used up), asks for 120 s
CCA-U 1  4012 credit limit reached, the balance is low`,
			end: CutOff, code: 4012, talked: 60,
		},
		{
			name: "credit gone inside the MSCC: the session is still open and is terminated",
			script: func(r request) *reply {
				switch r.kind {
				case updateRequest:
					return &reply{code: 2001, service: 4012}
				case terminationRequest:
					return &reply{code: 2001}
				}
				return granted(60, 360)
			},
			call: Call{From: from, To: to, Talk: time.Hour},
			want: `
CCR-I 0  asks for quota for +491700000001 to call +4930123456
CCA-I 0  2001 granted 60 s, valid 360 s
CCR-U 1  used 60 s (quota used up), asks for quota
CCA-U 1  2001 but for this service 4012 credit limit reached
CCR-T 2  used 0 s (final), the call is over
CCA-T 2  2001 success`,
			end: CutOff, code: 4012, talked: 60,
		},
		{
			name: "nobody answers", script: bucket(600),
			call: Call{From: from, To: to, AnswerDelay: 30 * time.Second},
			want: `
CCR-I 0  asks for quota for +491700000001 to call +4930123456
CCA-I 0  2001 granted 60 s, valid 360 s
CCR-T 1  used 0 s (final), the call is over
CCA-T 1  2001 success`,
			end: Unanswered, code: 2001,
		},
		{
			name:   "validity ends while it rings and while they talk. RFC 8506 8.33",
			script: func(r request) *reply { return granted(60, 20) },
			call:   Call{From: from, To: to, AnswerDelay: 30 * time.Second, Talk: 25 * time.Second},
			want: `
CCR-I 0  asks for quota for +491700000001 to call +4930123456
CCA-I 0  2001 granted 60 s, valid 20 s
CCR-U 1  used 0 s (validity over), asks for quota
CCA-U 1  2001 granted 60 s, valid 20 s
CCR-U 2  used 10 s (validity over), asks for quota
CCA-U 2  2001 granted 60 s, valid 20 s
CCR-T 3  used 15 s (final), the call is over
CCA-T 3  2001 granted 60 s, valid 20 s`,
			end: Completed, code: 2001, talked: 25,
		},
		{
			name: "reports in an interval shorter than the quota", script: bucket(600),
			call: Call{From: from, To: to, Talk: 50 * time.Second, Interval: 20 * time.Second, CommandLevel: true},
			want: `
CCR-I 0  asks for quota for +491700000001 to call +4930123456
CCA-I 0  2001 granted 60 s, valid 360 s
CCR-U 1  used 20 s, asks for quota
CCA-U 1  2001 granted 60 s, valid 360 s
CCR-U 2  used 20 s, asks for quota
CCA-U 2  2001 granted 60 s, valid 360 s
CCR-T 3  used 10 s (final), the call is over
CCA-T 3  2001 success`,
			end: Completed, code: 2001, talked: 50,
		},
		{
			name:   "a free call goes on without control",
			script: func(request) *reply { return &reply{code: 4011} },
			call:   Call{From: from, To: "112", Talk: time.Minute},
			want: `
CCR-I 0  asks for quota for +491700000001 to call 112
CCA-I 0  4011 free of charge, no control needed`,
			end: Free, code: 4011, talked: 60,
		},
		{
			name: "a refusal says what is to blame",
			script: func(request) *reply {
				return &reply{code: 5031, more: func(e *encoder) {
					e.text(errorMessage, "no tariff")
					e.group(failedAVP, func() { e.number(ratingGroup, 7) })
				}}
			},
			call: Call{From: from, To: to, Talk: time.Minute, RatingGroup: new(uint32(7))},
			want: `
CCR-I 0  asks for quota for +491700000001 to call +4930123456
CCA-I 0  5031 rating failed, because of AVP 432, “no tariff”`,
			end: Refused, code: 5031,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			said, outcome, _ := play(t, tt.script, tt.call)
			if got, want := strings.Join(said, "\n"), strings.TrimSpace(tt.want); got != want {
				t.Errorf("%+v\ngot:\n%s\nwant:\n%s", tt.call, got, want)
			}
			if outcome.End != tt.end || outcome.Code != tt.code || outcome.Seconds != tt.talked {
				t.Errorf("%+v: outcome %+v, want end %q, code %d, talked %d", tt.call, outcome, tt.end, tt.code, tt.talked)
			}
		})
	}
}

// What the standard wants in a CCR is where the standard wants it.
func TestRequestAVPs(t *testing.T) {
	t.Parallel()
	_, _, f := play(t, bucket(90), Call{
		From: "491700000001", To: "sip:+4930123456@ims.test", Talk: time.Hour, Context: "15.32276@3gpp.org",
		RatingGroup: new(uint32(100)),
	})
	if len(f.requests) != 3 {
		t.Fatalf("%d requests, want 3", len(f.requests))
	}
	ids := map[uint32]bool{}
	for i, r := range f.requests {
		ids[r.header.endToEnd] = true
		if r.header.flags != requestFlag|proxiableFlag || r.header.application != 4 {
			t.Errorf("request %d: header %+v", i, r.header)
		}
		if r.number != uint32(i) || r.sub != "491700000001" || r.context != "15.32276@3gpp.org" || r.called != "sip:+4930123456@ims.test" {
			t.Errorf("request %d: %+v", i, r)
		}
		if r.group == nil || *r.group != 100 {
			t.Errorf("request %d: Rating-Group %v, want 100", i, r.group)
		}
		if !strings.HasPrefix(r.session, "tas1.ims.test;") || r.session != f.requests[0].session {
			t.Errorf("request %d: Session-Id %q, first was %q", i, r.session, f.requests[0].session)
		}
	}
	if len(ids) != 3 {
		t.Errorf("End-to-End ids %v, want three different ones", ids)
	}
	if i := f.requests[0]; i.used != nil || !i.asks {
		t.Errorf("CCR-I: %+v, want units asked and none used", i)
	}
	if u := f.requests[1]; u.why == nil || *u.why != 3 || *u.used != 60 || !u.asks {
		t.Errorf("CCR-U: %+v, want 60 used, QUOTA_EXHAUSTED and units asked", u)
	}
	if end := f.requests[2]; end.why == nil || *end.why != 2 || *end.used != 30 || end.asks {
		t.Errorf("CCR-T: %+v, want 30 used, FINAL and nothing asked", end)
	}
}

func TestEvent(t *testing.T) {
	t.Parallel()
	f := &fakeServer{script: func(r request) *reply {
		if r.action == nil || *r.action != uint32(CheckBalance) || r.context != SMSContext {
			t.Errorf("request %+v, want a balance check of short messages", r)
		}
		return &reply{code: 2001, more: func(e *encoder) { e.number(checkBalanceResult, 1) }}
	}}
	var said []string
	s := New(testConfig, dial(t, f.listen(t)))
	outcome, err := s.Event(t.Context(), Event{From: "491700000001", To: "+4930123456", Action: CheckBalance, Units: 2},
		func(m Message) { said = append(said, m.String()) })
	want := []string{
		"CCR-E 0  asks whether the balance covers 2 units, from +491700000001 to +4930123456",
		"CCA-E 0  2001 success, the balance does not cover it",
	}
	if err != nil || outcome.End != Done || !slices.Equal(said, want) {
		t.Errorf("got %q, %+v, %v, want %q", said, outcome, err, want)
	}
}

// A debit tells by what it can be given back, wherever the answer has it, and a refund brings that.
func TestDebitAndRefund(t *testing.T) {
	t.Parallel()
	f := &fakeServer{script: func(r request) *reply {
		return &reply{code: 2001, more: func(e *encoder) {
			if *r.action == uint32(Debit) {
				e.group(mscc, func() { e.number(resultCode, 2001); e.text(refundInformation, "gyro1;;a") })
			}
		}}
	}}
	var said []Message
	s := New(testConfig, dial(t, f.listen(t)))
	debit, err := s.Event(t.Context(), Event{From: "491700000001", To: "+4930123456", Action: Debit, Units: 2}, func(m Message) { said = append(said, m) })
	if err != nil || debit.Refund != "gyro1;;a" || said[1].String() != "CCA-E 0  2001 nothing granted, to be given back by gyro1;;a" {
		t.Errorf("debit: got %+v, %v, %q", debit, err, said[1])
	}
	refund := Event{From: "491700000001", To: "+4930123456", Action: Refund, Units: 1, Refund: debit.Refund}
	if _, err := s.Event(t.Context(), refund, func(m Message) { said = append(said, m) }); err != nil || said[2].Refund != "gyro1;;a" {
		t.Errorf("refund: %v, sent %+v", err, said[2])
	}
}

// Each request goes out again with T on another connection, under its own End-to-End id.
func TestRepeat(t *testing.T) {
	t.Parallel()
	for _, honest := range []bool{true, false} {
		remembered := map[uint32]*reply{}
		script := bucket(600)
		f := &fakeServer{script: func(r request) *reply {
			if a, ok := remembered[r.number]; ok && honest {
				return a
			}
			remembered[r.number] = script(r)
			return remembered[r.number]
		}}
		address := f.listen(t)
		s := New(testConfig, dial(t, address))
		s.RepeatOn(dial(t, address))
		_, err := s.Call(t.Context(), Call{From: "491700000001", To: "100", Talk: 580 * time.Second}, func(Message) {})
		if got := errors.Is(err, ErrCopyDiffers); got == honest {
			t.Errorf("honest server %v: error %v", honest, err)
		}
		if !honest {
			continue
		}
		for i := 0; i < len(f.requests); i += 2 {
			first, second := f.requests[i].header, f.requests[i+1].header
			if first.flags&retransmitFlag != 0 || second.flags&retransmitFlag == 0 || first.endToEnd != second.endToEnd {
				t.Errorf("request %+v, copy %+v: want T in the copy only and one End-to-End id", first, second)
			}
		}
	}
}

// Answers that come in another order than their requests reach the call they belong to.
func TestManyCalls(t *testing.T) {
	t.Parallel()
	const calls = 50
	var mu sync.Mutex
	var waiting []func()
	f := &fakeServer{
		script: func(r request) *reply {
			if r.kind == initialRequest {
				return granted(uint32(len(r.called)), 0)
			}
			return &reply{code: 2001}
		},
		hold: func(r request, send func()) {
			if r.kind != initialRequest {
				send()
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if waiting = append(waiting, send); len(waiting) < calls {
				return
			}
			for _, send := range slices.Backward(waiting) {
				send()
			}
		},
	}
	s := New(testConfig, dial(t, f.listen(t)))
	var wg sync.WaitGroup
	for i := range calls {
		wg.Go(func() {
			to := strings.Repeat("1", i+1)
			o, err := s.Call(t.Context(), Call{From: "491700000001", To: to, Talk: time.Second}, func(Message) {})
			if want := uint32(len("tel:" + to)); err != nil || o.Granted != want {
				t.Errorf("call %d: granted %d, %v, want %d", i, o.Granted, err, want)
			}
		})
	}
	wg.Wait()
}

// In real time the switch waits, and hanging up in the middle reports what was talked until then.
func TestRealTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fakeServer{script: bucket(6000)}
		client, server := net.Pipe() // a real socket would stop the bubble's clock
		go f.serve(t, server)
		conn, err := Open(t.Context(), client, testConfig)
		if err != nil {
			t.Fatal(err)
		}
		s, start := New(testConfig, conn), time.Now()
		ctx, hangUp := context.WithTimeout(t.Context(), 100*time.Second)
		defer hangUp()
		o, err := s.Call(ctx, Call{From: "491700000001", To: "100", Talk: time.Hour, AnswerDelay: 5 * time.Second, RealTime: true}, func(Message) {})
		if err != nil || o.End != Completed || o.Seconds != 95 || time.Since(start) != 100*time.Second {
			t.Errorf("hung up after 100 s of which 5 rang: %+v, %v after %v, want 95 s talked", o, err, time.Since(start))
		}
		var used uint32
		for _, r := range f.requests {
			if r.used != nil {
				used += *r.used
			}
		}
		if used != 95 {
			t.Errorf("reported %d s in all, want 95", used)
		}
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestMessageJSON(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(Message{
		Time: time.Unix(0, 0).UTC(), Command: "CCA-I", Session: "s", Code: 2001, Granted: new(uint32(60)), Unit: Seconds, Validity: 360,
	})
	want := `{"time":"1970-01-01T00:00:00Z","sent":false,"command":"CCA-I","number":0,"session":"s","unit":"seconds",` +
		`"result_code":2001,"granted_units":60,"validity_seconds":360}`
	if err != nil || string(text) != want {
		t.Errorf("got  %s (%v)\nwant %s", text, err, want)
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	good := Call{From: "491700000001", To: "100", Talk: time.Second}
	if err := good.Validate(); err != nil {
		t.Errorf("%+v: %v", good, err)
	}
	for name, spoil := range map[string]func(*Call){
		"no caller":         func(c *Call) { c.From = "+" },
		"a name calls":      func(c *Call) { c.From = "alice" },
		"nobody called":     func(c *Call) { c.To = "" },
		"negative time":     func(c *Call) { c.Talk = -1 },
		"interval of 10 ms": func(c *Call) { c.Interval = 10 * time.Millisecond },
	} {
		bad := good
		spoil(&bad)
		if err := bad.Validate(); err == nil {
			t.Errorf("%s: %+v was accepted", name, bad)
		}
	}
}
