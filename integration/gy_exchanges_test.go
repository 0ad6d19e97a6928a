package integration

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What clients of the field send (docs/spec/gy.md 3.22), and what they are answered: each file of testdata/exchanges is one recorded
// exchange, in octets and in words. The requests are those of diameter/testdata. GY-184, GY-185, GY-186.

// exchangeConfig knows the contexts of the vendors' clients too.
const exchangeConfig = `
accept_unknown_peers: true
services:
  voice@huawei.com: {kind: voice}
  scap_v.2.0@ericsson.com: {kind: voice}
`

func TestGY_184_GY_185_GY_186_RecordedExchanges(t *testing.T) {
	t.Parallel()
	s := configured(t, exchangeConfig)
	s.gyro(t, "subscriber", "create", "491700000001", "--imsi", "262010000000001", "--plan", "demo", "--seconds", "1000000")
	for _, client := range []string{"open5gs", "cisco", "kamailio", "rhino", "camel", "huawei", "scap", "smsc"} { // one after the other: they share a subscriber
		t.Run(client, func(t *testing.T) {
			replay(t, s, client)
		})
	}
}

func replay(t *testing.T, s *server, client string) {
	t.Helper()
	var got strings.Builder
	var l *link
	for _, frame := range framesIn(t, filepath.Join("..", "diameter", "testdata", "ccr_"+client+".hex")) {
		request, err := decodeMessage(frame)
		if err != nil {
			t.Fatal(err)
		}
		if l == nil {
			host, _ := request.find(originHost)
			l = s.connect(t, host.text())
			if kind, _ := request.find(ccRequestType); kind.uint32() == typeUpdate {
				wantCode(t, l.call(beginning(request)), 2001) // of what was recorded from its middle on
			}
		}
		writeFrame(&got, "client", request, frame)
		answer := l.callBytes(frame).replacing(u32(originStateID, 0)) // the time when the database was made
		writeFrame(&got, "server", answer, answer.encode())
		if code := answer.resultCode(); code != 2001 {
			t.Errorf("got %d, want 2001, in %v", code, answer)
		}
	}
	path := filepath.Join("testdata", "exchanges", client+".hex")
	if *rewrite {
		if err := os.WriteFile(path, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("%s: the exchange is another one; go test ./integration -run GY_186 -args -rewrite shows the difference:\n%s", path, got.String())
	}
}

// beginning returns the CCR-I that an update goes on with.
func beginning(update message) message {
	initial := update.replacing(u32(ccRequestType, typeInitial)).replacing(u32(ccRequestNumber, 0)).without(used)
	for i, a := range initial.avps {
		if a.code != mscc {
			continue
		}
		var members []avp
		for _, member := range a.members() {
			if member.code != used {
				members = append(members, member)
			}
		}
		initial.avps[i] = group(mscc, members...)
	}
	return initial
}

// framesIn returns the messages of a file of hexadecimal digits with comments.
func framesIn(t *testing.T, path string) (frames [][]byte) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var digits strings.Builder
	for line := range strings.Lines(string(text)) {
		code, _, _ := strings.Cut(line, "#")
		digits.WriteString(strings.Join(strings.Fields(code), ""))
	}
	octets, err := hex.DecodeString(digits.String())
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	for len(octets) > 0 {
		length := int(binary.BigEndian.Uint32(octets) & 0xFFFFFF)
		frames, octets = append(frames, octets[:length]), octets[length:]
	}
	return frames
}

// writeFrame writes a message as words behind # and as octets.
func writeFrame(out *strings.Builder, from string, m message, frame []byte) {
	if out.Len() > 0 {
		out.WriteByte('\n')
	}
	fmt.Fprintf(out, "# %s\n", from)
	for line := range strings.Lines(m.String()) {
		fmt.Fprintf(out, "# %s\n", strings.TrimRight(line, "\n"))
	}
	for len(frame) > 0 {
		row := frame[:min(32, len(frame))]
		frame = frame[len(row):]
		var words []string
		for word := range slices.Chunk(row, 4) {
			words = append(words, hex.EncodeToString(word))
		}
		fmt.Fprintln(out, strings.Join(words, " "))
	}
}
