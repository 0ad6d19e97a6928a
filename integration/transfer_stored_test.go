package integration

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// claimed is a row of table 4.5 about a transfer that is stored, and what was before.
type claimed struct {
	name           string
	result, number uint32
	code, text     string
	policy         []string
	prepare        func(t *testing.T, s *server, sender, receiver, reference string) // after 5 minutes were sent
	strangers      bool                                                              // somebody else claims
}

var claims = []claimed{
	{
		name: "original not found", result: 5004, number: 5128, code: "identifierError", text: "There is no such transfer of yours. Check the reference.",
		strangers: true,
	},
	{
		name: "already done", result: 5004, number: 5129, code: "incorrectState", text: "That is done already.",
		prepare: func(t *testing.T, s *server, _, _, reference string) {
			t.Helper()
			s.act(t, reference, "claim", "sender")
		},
	},
	{
		name: "window closed", result: 5004, number: 5130, code: "incorrectState", text: "It is too late for that. Please ask customer care.",
		policy: []string{"window: 3d", "window: 0"},
	},
	{
		name: "not reversible", result: 5004, number: 5131, code: "incorrectState", text: "This transfer cannot be undone. Ask the receiver to send it back.",
		policy: []string{"&claims {way: claim, window: 3d, decide: 7d, fee_refunded: false, persons: 2, persons_after: 3, claims: 1}", "&claims {way: refund}"},
	},
	{
		name: "already spent", result: 4012, number: 4132, code: "insufficientFunds", text: "Too much is spent already: 0 min are left of it.",
		prepare: func(t *testing.T, s *server, sender, receiver, _ string) {
			t.Helper()
			body := fmt.Sprintf(`{"from":%q,"to":%q,"seconds":300,"as":"sender"}`, receiver, sender)
			if answer := s.http(t, http.MethodPost, "/care/v1/transfers", body); answer.status != http.StatusCreated {
				t.Fatalf("spend: %d %s", answer.status, answer.body)
			}
		},
	},
}

// A claim that cannot be is refused by Diameter and at the command line, with its code of table 4.5 and a text.
func TestRefusedClaims(t *testing.T) {
	t.Parallel()
	s := configured(t, fmt.Sprintf(`
accept_unknown_peers: true
transfer:
  policy: %s
  diameter: {operations: [send, reverse], plain_credentials: true}
`, changedPolicy(t)))
	l := s.client(t)
	for _, row := range claims {
		s.loadPolicy(t, changedPolicy(t, row.policy...))
		sender, receiver := s.created(t, 6000), s.created(t, 0)
		reference := s.moved(t, sender, receiver)
		if row.prepare != nil {
			row.prepare(t, s, sender, receiver, reference)
		}
		who := sender
		if row.strangers {
			who = s.created(t, 60)
		}
		ccr := transferCCR(l, who, 0, param(1, "5"), param(6, reference), param(4, keyOf(row.name)), param(14, "api")).
			without(requested).replacing(u32(requestedAction, 1))
		answer := l.call(ccr)
		got := fmt.Sprintf("%d/%s", answer.resultCode(), paramOf(answer, 17))
		if want := fmt.Sprintf("%d/%d", row.result, row.number); got != want || !strings.Contains(paramOf(answer, 22), row.text) {
			t.Errorf("Diameter, %s: got %s %q, want %s %q", row.name, got, paramOf(answer, 22), want, row.text)
		}
		if again := l.call(ccr.resent()); again.resultCode() != answer.resultCode() || paramOf(again, 17) != paramOf(answer, 17) {
			t.Errorf("Diameter, %s: the second time %v", row.name, again)
		}
		if row.strangers {
			continue // at the command line the operator speaks, whose they all are
		}
		stderr, exit := s.command(t, "", "transfer", "claim", reference, "--as", "sender", "--id", "cli-"+keyOf(row.name))
		if exit != 4 || !strings.Contains(stderr, row.text) || !strings.Contains(stderr, row.name+", "+row.code) {
			t.Errorf("command line, %s: exit %d, %s", row.name, exit, stderr)
		}
	}
	l.drop()
	s.wantTransfersSound(t)
}

// moved sends five minutes and returns how the transfer is called.
func (s *server) moved(t *testing.T, sender, receiver string) (reference string) {
	t.Helper()
	body := fmt.Sprintf(`{"from":%q,"to":%q,"seconds":300,"as":"sender"}`, sender, receiver)
	answer := s.http(t, http.MethodPost, "/care/v1/transfers", body)
	var told struct{ Reference string }
	if answer.read(t, &told); answer.status != http.StatusCreated {
		t.Fatalf("send: %d %s", answer.status, answer.body)
	}
	return told.Reference
}

func (s *server) act(t *testing.T, reference, act, as string) {
	t.Helper()
	answer := s.http(t, http.MethodPost, "/care/v1/transfers/"+reference+"/"+act, fmt.Sprintf(`{"as":%q}`, as))
	if answer.status/100 != 2 {
		t.Fatalf("%s: %d %s", act, answer.status, answer.body)
	}
}
