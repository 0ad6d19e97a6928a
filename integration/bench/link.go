package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// patience is how long a server may leave a request without an answer before the run is given up.
const patience = 10 * time.Second

// A link is a Diameter connection that has exchanged capabilities.
type link struct {
	conn        net.Conn
	host, realm string // ours
	peerRealm   string // of the server
	in          []byte
	read, write int    // what of in is still to be looked at
	out         []byte // gathered for the next write
}

func dial(ctx context.Context, address, host, realm string) (*link, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	l := &link{conn: conn, host: host, realm: realm, in: make([]byte, 256<<10)}
	if err := l.exchangeCapabilities(); err != nil {
		return nil, errors.Join(fmt.Errorf("exchange capabilities with %s: %w", address, err), conn.Close())
	}
	return l, nil
}

func (l *link) exchangeCapabilities() error {
	l.out = append(l.out, request(commandCE, 0, 0,
		avp(avpOriginHost, 0, text(l.host)),
		avp(avpOriginRealm, 0, text(l.realm)),
		avp(avpHostIPAddress, 0, []byte{0, 1, 127, 0, 0, 1}),
		avp(avpVendorID, 0, number(0)),
		avp(avpProductName, 0, text("gyro bench")),
		avp(avpAuthApplication, 0, number(4)),
	)...)
	if err := l.flush(); err != nil {
		return err
	}
	answer, err := l.next(time.Now().Add(patience))
	if err != nil {
		return err
	}
	result := uint32(0)
	for code, content := range avps(answer[headerSize:]) {
		switch {
		case code == avpResultCode && len(content) == 4:
			result = binary.BigEndian.Uint32(content)
		case code == avpOriginRealm:
			l.peerRealm = string(content)
		}
	}
	if result != 2001 {
		return fmt.Errorf("refused with %d", result)
	}
	return nil
}

// next returns the next whole message, which is valid until the call after. It reads only when none is there already.
func (l *link) next(deadline time.Time) ([]byte, error) {
	for {
		frame, err := l.buffered()
		if frame != nil || err != nil {
			return frame, err
		}
		if err := l.fill(deadline); err != nil {
			return nil, err
		}
	}
}

// buffered returns the next whole message that was already read, or nil.
func (l *link) buffered() ([]byte, error) {
	waiting := l.in[l.read:l.write]
	length, err := frameLength(waiting)
	if err != nil || length == 0 || length > len(waiting) {
		return nil, err
	}
	l.read += length
	return waiting[:length], nil
}

// fill reads once, until deadline at the latest.
func (l *link) fill(deadline time.Time) error {
	l.write = copy(l.in, l.in[l.read:l.write])
	l.read = 0
	if err := l.conn.SetReadDeadline(deadline); err != nil {
		return err
	}
	n, err := l.conn.Read(l.in[l.write:])
	l.write += n
	if errors.Is(err, io.EOF) {
		return errors.New("the server closed the connection")
	}
	return err
}

// flush writes what was gathered.
func (l *link) flush() error {
	if len(l.out) == 0 {
		return nil
	}
	if err := l.conn.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	_, err := l.conn.Write(l.out)
	l.out = l.out[:0]
	return err
}

// answerWatchdog answers a Device-Watchdog-Request.
func (l *link) answerWatchdog(frame []byte) {
	answer := request(commandDW, 0, 0,
		avp(avpResultCode, 0, number(2001)),
		avp(avpOriginHost, 0, text(l.host)),
		avp(avpOriginRealm, 0, text(l.realm)),
	)
	answer[4] &^= flagRequest
	copy(answer[12:headerSize], frame[12:headerSize])
	l.out = append(l.out, answer...)
}

// disconnect says good-bye, so that the server does not count a lost peer.
func (l *link) disconnect() error {
	l.out = append(l.out, request(commandDP, 0, 0,
		avp(avpOriginHost, 0, text(l.host)),
		avp(avpOriginRealm, 0, text(l.realm)),
		avp(273, 0, number(2)), // Disconnect-Cause: DO_NOT_WANT_TO_TALK_TO_YOU
	)...)
	err := l.flush()
	if err == nil {
		_, err = l.next(time.Now().Add(patience))
	}
	return errors.Join(err, l.conn.Close())
}

// switchHost names the switch of a connection.
func switchHost(connection int) string {
	return fmt.Sprintf("tas%d.%s", connection+1, switchRealm)
}

const switchRealm = "bench.test"
