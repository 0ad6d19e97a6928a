package charging_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/ocs/charging"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/ocs/postgres/postgrestest"
	"github.com/gyro-ocs/gyro/transfer"
)

func withRules(t testing.TB, rules ...transfer.Rule) *transfer.Policy {
	t.Helper()
	p := openPolicy()
	p.Rules = rules
	return p
}

func when(t testing.TB, text string) transfer.Condition {
	t.Helper()
	c, err := transfer.ParseCondition(text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// decision is the yes or the no of a person of the operator.
func decision(o transfer.Operation, original transfer.Reference, person, reference string) charging.Transfer {
	r := on("", o, original, reference)
	r.Acting.Value = ""
	r.Request.By, r.Request.Person = transfer.ByOperator, person
	return r
}

// A rule looks back at what the sender did, on whatever server, also in the batch that is being decided. What it holds is
// decided by a person; what it noted is in the audit.
func TestRiskRuleLooksBack(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	p := withRules(t,
		transfer.Rule{Name: "many", When: when(t, "count_1h > 5"), Action: transfer.Hold},
		transfer.Rule{Name: "often", When: when(t, "same_pair_count_24h >= 2 and in_24h = 0"), Action: transfer.Alert},
	)
	engines := []*charging.Engine{b.engine(b.store, withPolicy(p)), b.engine(postgrestest.Open(t, b.dsn, postgres.Options{}), withPolicy(p))}
	from, to := b.subscriber(ann, 60000), b.subscriber(ben, 60)
	outcomes := make(chan transfer.Outcome, 12)
	var all sync.WaitGroup
	for i := range cap(outcomes) {
		all.Go(func() { outcomes <- do(t, engines[i%2], send(ann, ben, fmt.Sprint(i), 60)) })
	}
	all.Wait()
	close(outcomes)
	var held []transfer.Reference
	alerts := 0
	for o := range outcomes {
		wantRefusal(t, o, transfer.None)
		if o.Answer.Status == transfer.Pending {
			held = append(held, o.Answer.Reference)
		}
		if slices.Contains(o.Alerts, "often") {
			alerts++
		}
	}
	if len(held) != 7 || alerts != 11 {
		t.Fatalf("%d were held and %d told, want 7 and 11", len(held), alerts)
	}
	b.wantBalance(from, 60000-5*60, 7*60)
	b.wantBalance(to, 60+5*60, 0)
	waiting, err := b.store.UndecidedTransfers(t.Context(), 100)
	if err != nil || len(waiting) != 7 || waiting[0].Awaits != transfer.AwaitsReview {
		t.Errorf("undecided %+v, %v", waiting, err)
	}
	wantRefusal(t, do(t, engines[0], decision(transfer.OpAccept, held[0], "eve", "d1")), transfer.None)
	wantRefusal(t, do(t, engines[1], decision(transfer.OpDecline, held[1], "eve", "d2")), transfer.None)
	wantRefusal(t, do(t, engines[0], decision(transfer.OpAccept, held[1], "dan", "d3")), transfer.AlreadyDone)
	b.wantBalance(from, 60000-6*60, 5*60)
	b.wantBalance(to, 60+6*60, 0)
	b.wait(4 * 24 * time.Hour)
	eventually(t, func() bool { _, reserved := b.balance(from); return reserved == 0 })
	b.wantBalance(from, 60000-6*60, 0)
	postgrestest.CheckInvariants(t, b.store)
}

// Two persons at two servers cannot both be the second one, and one person is never two.
func TestApprovalByTwoPersons(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	p := openPolicy()
	p.Approvals = []transfer.Approval{{Operation: transfer.OpSend, Above: 600, Checkers: 2}}
	engines := []*charging.Engine{b.engine(b.store, withPolicy(p)), b.engine(postgrestest.Open(t, b.dsn, postgres.Options{}), withPolicy(p))}
	from, to := b.subscriber(ann, 6000), b.subscriber(ben, 60)
	r := send(ann, ben, "big", 660)
	r.Request.By, r.Request.Person = transfer.ByOperator, "max"
	o := do(t, engines[0], r)
	wantRefusal(t, o, transfer.None)
	refusals := make(chan transfer.Refusal, 9)
	var all sync.WaitGroup
	for i := range cap(refusals) {
		person := []string{"max", "eve", "dan"}[i%3]
		all.Go(func() {
			refusals <- do(t, engines[i%2], decision(transfer.OpAccept, o.Answer.Reference, person, fmt.Sprint("yes", i))).Answer.Refusal
		})
	}
	all.Wait()
	close(refusals)
	yes := 0
	for r := range refusals {
		if r == transfer.None {
			yes++
		} else if r != transfer.AlreadyDone && r != transfer.NotConfirmed {
			t.Errorf("refused: %s", r)
		}
	}
	if yes != 2 {
		t.Errorf("%d said yes, want 2", yes)
	}
	b.wantBalance(from, 5340, 0)
	b.wantBalance(to, 720, 0)
	stored, err := b.store.TransferByReference(t.Context(), o.Answer.Reference)
	if err != nil || stored.Maker != "max" || len(stored.Persons) != 2 || slices.Contains(stored.Persons, "max") {
		t.Errorf("stored %+v, %v", stored, err)
	}
	postgrestest.CheckInvariants(t, b.store)
}

// Minutes that come back to who gave them away are noticed, however many lots they went through.
func TestRootReturns(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	p := withRules(t, transfer.Rule{Name: "ring", When: when(t, "root_returns_to_former_owner within 7d"), Action: transfer.Deny})
	e := b.engine(b.store, withPolicy(p))
	b.subscriber(ann, 600)
	b.subscriber(ben, 0)
	b.subscriber(cem, 0)
	wantRefusal(t, do(t, e, send(ann, ben, "1", 600)), transfer.None)
	wantRefusal(t, do(t, e, send(ben, cem, "2", 600)), transfer.None)
	wantRefusal(t, do(t, e, send(cem, ann, "3", 600)), transfer.RiskRefused)
	wantRefusal(t, do(t, e, send(cem, ben, "4", 600)), transfer.RiskRefused)
	b.wait(8 * 24 * time.Hour)
	wantRefusal(t, do(t, e, send(cem, ann, "5", 600)), transfer.None)
	postgrestest.CheckInvariants(t, b.store)
}
