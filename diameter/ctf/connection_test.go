package ctf

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"net"
	"testing"
	"time"
)

func TestRefusedConnection(t *testing.T) {
	t.Parallel()
	f := &fakeServer{capabilities: 3010}
	_, err := Dial(t.Context(), f.listen(t), testConfig)
	refused, ok := errors.AsType[*RefusedError](err)
	if !ok || refused.Code != 3010 || refused.Server != "ocs1.ocs.test" {
		t.Errorf("got %v, want 3010 of ocs1.ocs.test", err)
	}
}

// A server that speaks no Diameter, or none that can be, is an error and no hang.
func TestBrokenServer(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string][]byte{
		"HTTP":                  []byte("HTTP/1.1 400 Bad Request\r\n\r\n"),
		"length 8":              {1, 0, 0, 8, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
		"a length never filled": {1, 0xff, 0xff, 0xfc, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
		"half a header":         {1, 0, 0},
		"nothing":               {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, server := net.Pipe()
			go func() {
				_, _ = readFrame(server)
				_, _ = server.Write(answer)
				_ = server.Close()
			}()
			if _, err := Open(t.Context(), client, testConfig); err == nil {
				t.Errorf("%x was taken for a CEA", answer)
			}
		})
	}
}

// The watchdog is answered also while a request waits for its answer; what is no request of a server gets 3001.
func TestServerRequests(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		command uint32
		code    uint32
		flags   byte
	}{
		"DWR": {deviceWatchdog, 2001, 0},
		"DPR": {disconnectPeer, 2001, 0},
		"RAR": {258, 3001, errorFlag},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, server := net.Pipe()
			f := &fakeServer{}
			introduced := make(chan struct{})
			go func() {
				cer, _ := readFrame(server)
				_, _ = server.Write(f.answer(t, parseHeader(cer), cer))
				close(introduced)
			}()
			conn, err := Open(t.Context(), client, testConfig)
			if err != nil {
				t.Fatal(err)
			}
			<-introduced
			e := encode(header{flags: requestFlag, command: tt.command, hopByHop: 7, endToEnd: 9})
			e.text(sessionID, "s;1")
			if _, err := server.Write(e.bytes()); err != nil {
				t.Fatal(err)
			}
			answer, err := readFrame(server)
			if err != nil {
				t.Fatal(err)
			}
			want := header{flags: tt.flags, command: tt.command, hopByHop: 7, endToEnd: 9}
			if got := parseHeader(answer); got != want {
				t.Errorf("header %+v, want %+v", got, want)
			}
			var code uint32
			for a, err := range avps(answer[headerSize:]) {
				if err != nil {
					t.Fatal(err)
				}
				if a.is(resultCode) {
					code = a.number()
				}
			}
			if code != tt.code {
				t.Errorf("Result-Code %d, want %d", code, tt.code)
			}
			_ = server.Close()
			<-conn.done
		})
	}
}

func TestLostConnection(t *testing.T) {
	t.Parallel()
	f := &fakeServer{}
	client, server := net.Pipe()
	f.hold = func(request, func()) { _ = server.Close() }
	go f.serve(t, server)
	conn, err := Open(t.Context(), client, testConfig)
	if err != nil {
		t.Fatal(err)
	}
	call := Call{From: "491700000001", To: "100", Talk: time.Second}
	for range 2 { // also when it is known to be lost
		if _, err := New(testConfig, conn).Call(context.Background(), call, func(Message) {}); !errors.Is(err, ErrClosed) {
			t.Errorf("got %v, want ErrClosed", err)
		}
	}
}

func TestNoAnswer(t *testing.T) {
	t.Parallel()
	f := &fakeServer{hold: func(request, func()) {}}
	config := testConfig
	config.Timeout = time.Millisecond * 50
	conn, err := Dial(t.Context(), f.listen(t), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_, err = New(config, conn).Call(t.Context(), Call{From: "491700000001", To: "100"}, func(Message) {})
	if !errors.Is(err, ErrNoAnswer) {
		t.Errorf("got %v, want ErrNoAnswer", err)
	}
}

// The octets of a message, compared with octets made by hand from RFC 6733 §3 and §4.1.
func TestEncode(t *testing.T) {
	t.Parallel()
	e := encode(header{flags: requestFlag | proxiableFlag, command: 272, application: 4, hopByHop: 0x11223344, endToEnd: 0x55667788})
	e.text(sessionID, "a;1;2")
	e.group(mscc, func() {
		e.group(usedUnit, func() {
			e.number(reportingReason, 3)
			e.number(ccTime, 60)
		})
	})
	e.time(eventTimestamp, time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC))
	want := "0100005c" + "c0000110" + "00000004" + "11223344" + "55667788" +
		"000001074000000d" + "613b313b32" + "000000" + // Session-Id, padded
		"000001c84000002c" + // 456, 44 octets
		"000001be40000024" + // 446, 36 octets
		"00000368c0000010" + "000028af" + "00000003" + // 872 of vendor 10415
		"000001a44000000c" + "0000003c" + // 420
		"000000374000000c" + "ed4e0000" // 55: 2026-03-01, 3981312000 s after 1900-01-01
	if got := hex.EncodeToString(e.bytes()); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// No octets of a server panic the switch or keep it for ever.
func FuzzReadAnswer(f *testing.F) {
	server := &fakeServer{script: bucket(90)}
	r := ccr{party: party{session: "s", from: "+491700000001", to: "100", context: DefaultContext}, requestType: 1, asks: true, unit: Seconds}
	frame := r.encode(testConfig, "ocs.test", 1)
	f.Add(server.answer(&testing.T{}, parseHeader(frame), frame))
	f.Add(bytes.Repeat([]byte{1, 0, 0, 20}, 5))
	f.Fuzz(func(t *testing.T, data []byte) {
		stream := bytes.NewReader(data)
		for {
			frame, err := readFrame(stream)
			if err != nil {
				return
			}
			m := Message{Command: "CCA-I", Session: "s"}
			_ = readAnswer(frame, &m)
			_ = m.String()
		}
	})
}
