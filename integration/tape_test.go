package integration

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"
)

// A tape records what passes on connections, for programs that read captures. It is made from the sockets' own octets
// because capturing on the loopback interface needs rights that a build machine does not give.
type tape struct {
	mu      sync.Mutex
	packets []packet
	clients uint16 // connections so far; each gets a port of its own
}

type packet struct {
	at       time.Time
	client   uint16
	fromPeer bool // from the server to the client
	octets   []byte
}

// The ports in the capture. Readers take serverPort for Diameter.
const (
	serverPort      = 3868
	firstClientPort = 40_000
)

// listen returns conn, recorded.
func (p *tape) listen(conn net.Conn) net.Conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clients++
	return &tapedConn{Conn: conn, tape: p, client: p.clients}
}

func (p *tape) record(client uint16, fromPeer bool, octets []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.packets = append(p.packets, packet{time.Now(), client, fromPeer, append([]byte(nil), octets...)})
}

type tapedConn struct {
	net.Conn
	tape   *tape
	client uint16
}

func (c *tapedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.tape.record(c.client, true, b[:n])
	}
	return n, err
}

func (c *tapedConn) Write(b []byte) (int, error) {
	c.tape.record(c.client, false, b) // before it is sent, so that no answer is recorded ahead of its request
	return c.Conn.Write(b)
}

// messages returns what was said in either direction, each direction of each connection in its order.
func (p *tape) messages(t *testing.T) []message {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	type way struct {
		client   uint16
		fromPeer bool
	}
	streams, order := make(map[way]*bytes.Buffer), []way(nil)
	for _, packet := range p.packets {
		w := way{packet.client, packet.fromPeer}
		if streams[w] == nil {
			streams[w], order = &bytes.Buffer{}, append(order, w)
		}
		streams[w].Write(packet.octets)
	}
	var all []message
	for _, w := range order {
		for streams[w].Len() > 0 {
			m, err := readMessage(streams[w])
			if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
				break // still being said
			}
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, m)
		}
	}
	return all
}

// write writes the tape as a pcap file of IPv4 packets (link type 101).
func (p *tape) write(t *testing.T, path string) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	le := binary.LittleEndian
	file := le.AppendUint32(nil, 0xa1b2c3d4)
	file = le.AppendUint16(file, 2)
	file = le.AppendUint16(file, 4)
	file = append(file, make([]byte, 8)...) // zone, accuracy
	file = le.AppendUint32(file, 1<<18)     // longest packet
	file = le.AppendUint32(file, 101)       // raw IP
	sequence := make(map[[2]uint16]uint32)  // by source and destination port
	for _, packet := range p.packets {
		source, destination := firstClientPort+packet.client, uint16(serverPort)
		if packet.fromPeer {
			source, destination = destination, source
		}
		for rest := packet.octets; len(rest) > 0; {
			segment := rest[:min(len(rest), 32_000)]
			rest = rest[len(segment):]
			way, back := [2]uint16{source, destination}, [2]uint16{destination, source}
			frame := tcpFrame(source, destination, sequence[way]+1, sequence[back]+1, segment)
			sequence[way] += uint32(len(segment))
			file = le.AppendUint32(file, uint32(packet.at.Unix()))
			file = le.AppendUint32(file, uint32(packet.at.Nanosecond()/1000))
			file = le.AppendUint32(file, uint32(len(frame)))
			file = le.AppendUint32(file, uint32(len(frame)))
			file = append(file, frame...)
		}
	}
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
}

// tcpFrame returns an IPv4 packet from 127.0.0.1 to itself. Its checksums are left out; readers do not look at them.
func tcpFrame(source, destination uint16, sequence, acknowledged uint32, data []byte) []byte {
	be := binary.BigEndian
	b := []byte{0x45, 0}
	b = be.AppendUint16(b, uint16(40+len(data)))
	b = append(b, 0, 0, 0, 0, 64, 6, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1)
	b = be.AppendUint16(b, source)
	b = be.AppendUint16(b, destination)
	b = be.AppendUint32(b, sequence)
	b = be.AppendUint32(b, acknowledged)
	b = append(b, 0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0) // header of 20 octets, PSH and ACK, window
	return append(b, data...)
}
