package diameter

import (
	"crypto/x509"
	"strings"
	"testing"
)

func TestPeerTableFind(t *testing.T) {
	t.Parallel()
	table := newPeerTable([]Peer{
		{Name: "*.test", Instances: 1}, {Name: "*.epc.test", Instances: 2}, {Name: "SMF.epc.test", Instances: 3}, {Name: "dra.net"},
	}, false)
	for host, want := range map[string]int{
		"smf.epc.test":   3, // the exact name, without case
		"pgw.epc.test":   2, // the longest suffix
		"a.pgw.epc.test": 2,
		"epc.test":       1, // not below itself
		"xepc.test":      1,
		"DRA.NET":        0,
	} {
		p, ok := table.find(host)
		if !ok || p.Instances != want {
			t.Errorf("find(%q) = %+v, %t, want the peer with %d instances", host, p, ok, want)
		}
	}
	for _, host := range []string{"test", "adra.net", ".test", "smf.epc.test.evil"} {
		if p, ok := table.find(host); ok {
			t.Errorf("find(%q) = %+v, want none", host, p)
		}
	}
	if _, ok := newPeerTable(nil, true).find("anyone"); !ok {
		t.Error("an unknown peer is refused by a table that accepts unknown ones")
	}
}

func TestPeerTableJoin(t *testing.T) {
	t.Parallel()
	table := newPeerTable(nil, true)
	a, b, c := new(connection), new(connection), new(connection)
	twice := Peer{Instances: 2}
	if got := table.join(a, "x", twice); got != nil {
		t.Fatalf("the first is refused: %v", got)
	}
	if got := table.join(b, "X", twice); got != nil {
		t.Fatalf("the second is refused: %v", got)
	}
	if got := table.join(c, "x", twice); len(got) != 2 {
		t.Fatalf("the third finds %d in its way, want 2", len(got))
	}
	table.leave(c, "x") // never joined
	table.leave(a, "x")
	if got := table.join(c, "x", twice); got != nil {
		t.Fatalf("refused after another left: %v", got)
	}
	table.leave(b, "x")
	table.leave(c, "x")
	if len(table.open) != 0 {
		t.Errorf("%d names are kept after everyone left", len(table.open))
	}
}

func TestPeerOwnsCertificate(t *testing.T) {
	t.Parallel()
	p := Peer{Name: "*.epc.test", Certificates: []string{"gateway.test"}}
	for name, want := range map[string]bool{
		"smf.epc.test": true, "SMF.EPC.TEST": true, "gateway.test": true, "pgw.epc.test": false, "*.epc.test": false,
	} {
		if got := p.owns("smf.epc.test", &x509.Certificate{DNSNames: []string{"other.test", name}}); got != want {
			t.Errorf("a certificate for %s lets in smf.epc.test: %t, want %t", name, got, want)
		}
	}
}

func TestConfigTellsEveryFault(t *testing.T) {
	t.Parallel()
	err := Config{
		OriginHost: "a b", Realms: []string{""}, MaxFrame: 70001, MaxOutstanding: -1, MaxQueue: -1, MaxConnections: -1, Watchdog: -1,
		Peers: []Peer{{Name: "*."}, {Name: "a.*"}, {Name: "x", Instances: -1}},
	}.Validate()
	if err == nil {
		t.Fatal("no fault found")
	}
	faults := strings.Split(err.Error(), "\n")
	if len(faults) != 11 {
		t.Errorf("%d faults, want 11:\n%v", len(faults), err)
	}
}
