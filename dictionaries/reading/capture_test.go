package reading

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"
)

// pcapOf returns a pcap file of raw IPv4 packets.
func pcapOf(packets ...[]byte) []byte {
	le := binary.LittleEndian
	file := le.AppendUint32(nil, 0xa1b2c3d4)
	file = append(file, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0)
	file = le.AppendUint32(file, linkRaw)
	for i, packet := range packets {
		file = le.AppendUint32(file, uint32(1_700_000_000+i))
		file = le.AppendUint32(file, 0)
		file = le.AppendUint32(file, uint32(len(packet)))
		file = le.AppendUint32(file, uint32(len(packet)))
		file = append(file, packet...)
	}
	return file
}

func tcp(source uint16, sequence uint32, flags byte, data []byte) []byte {
	be := binary.BigEndian
	b := be.AppendUint16([]byte{0x45, 0}, uint16(40+len(data)))
	b = append(b, 0, 0, 0, 0, 64, 6, 0, 0, 127, 0, 0, 1, 127, 0, 0, 2)
	b = be.AppendUint16(b, source)
	b = be.AppendUint16(b, 3868)
	b = be.AppendUint32(b, sequence)
	b = append(b, 0, 0, 0, 0, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0)
	return append(b, data...)
}

// dwr is a whole message whose End-to-End id is n.
func dwr(n uint32) []byte {
	b := []byte{1, 0, 0, 20, 0x80, 0, 1, 24, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
	binary.BigEndian.PutUint32(b[16:], n)
	return b
}

func TestCapture(t *testing.T) {
	three := slices.Concat(dwr(1), dwr(2), dwr(3))
	const syn, ack = 2, 16
	for _, test := range []struct {
		name    string
		packets [][]byte
		want    []uint32 // End-to-End ids
	}{
		{"one packet", [][]byte{tcp(1, 100, ack, three)}, []uint32{1, 2, 3}},
		{"cut anywhere", [][]byte{tcp(1, 99, syn, nil), tcp(1, 100, ack, three[:3]), tcp(1, 103, ack, three[3:25]), tcp(1, 125, ack, three[25:])}, []uint32{1, 2, 3}},
		{"out of order", [][]byte{tcp(1, 99, syn, nil), tcp(1, 125, ack, three[25:]), tcp(1, 100, ack, three[:25])}, []uint32{1, 2, 3}},
		{"sent again, in other pieces", [][]byte{tcp(1, 99, syn, nil), tcp(1, 100, ack, three[:25]), tcp(1, 100, ack, three[:40]), tcp(1, 140, ack, three[40:])}, []uint32{1, 2, 3}},
		{"sequence numbers that go round", [][]byte{tcp(1, 1<<32-11, syn, nil), tcp(1, 1<<32-10, ack, three[:10]), tcp(1, 0, ack, three[10:])}, []uint32{1, 2, 3}},
		{"two connections", [][]byte{tcp(1, 0, ack, dwr(1)[:7]), tcp(2, 0, ack, dwr(2)), tcp(1, 7, ack, dwr(1)[7:])}, []uint32{2, 1}},
		{"another protocol beside", [][]byte{tcp(1, 0, ack, []byte("GET / HTTP/1.1\r\n")), tcp(2, 0, ack, dwr(2))}, []uint32{2}},
		{"no TCP", [][]byte{{0x45}, {0x60, 1, 2}, nil, {0x45, 0, 0, 20, 0, 0, 0, 0, 64, 17, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2}}, nil},
	} {
		spoken, err := Capture(pcapOf(test.packets...))
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		var got []uint32
		for _, s := range spoken {
			got = append(got, binary.BigEndian.Uint32(s.Message[16:]))
			if s.To.Port() != 3868 || s.At.Unix() < 1_700_000_000 {
				t.Errorf("%s: got %+v", test.name, s)
			}
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: got messages %v, want %v", test.name, got, test.want)
		}
	}
}

func TestCaptureOfAnotherKind(t *testing.T) {
	if _, err := Capture([]byte{0x0a, 0x0d, 0x0d, 0x0a, 0, 0, 0, 0}); err == nil || !strings.Contains(err.Error(), "editcap") {
		t.Errorf("pcapng: got %v, want what to do", err)
	}
	if _, err := Capture([]byte("hello")); err == nil {
		t.Error("text was taken for a capture")
	}
}

func FuzzCapture(f *testing.F) {
	f.Add(pcapOf(tcp(1, 99, 2, nil), tcp(1, 100, 16, dwr(1)), tcp(1, 130, 16, dwr(2)), tcp(1, 120, 16, dwr(3))))
	f.Fuzz(func(t *testing.T, b []byte) {
		spoken, err := Capture(b)
		if err != nil {
			return
		}
		for _, s := range spoken {
			if length, err := Length(s.Message); err != nil || length != len(s.Message) {
				t.Errorf("%x is no whole message", s.Message)
			}
		}
	})
}
