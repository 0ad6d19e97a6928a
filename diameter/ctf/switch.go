package ctf

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"
)

// A Switch places calls and events over one connection. Safe for concurrent use.
type Switch struct {
	config Config
	conn   *Conn
	again  *Conn // where each request goes once more, as if its answer had been lost; nil: nowhere
	ids    *identifiers
}

// New returns a switch that uses conn. config is the one that conn was opened with: its Host stands in every request.
func New(config Config, conn *Conn) *Switch {
	return &Switch{config: config, conn: conn, ids: newIdentifiers(time.Now())}
}

// RepeatOn makes s send every request a second time with the T flag, over conn, after its answer came: what a switch does
// that lost the answer with its connection (RFC 6733 §5.5.4). An answer that then differs is an error of the server.
func (s *Switch) RepeatOn(conn *Conn) { s.again = conn }

// ErrCopyDiffers is a server that answered a retransmission in another way than the request itself (RFC 8506 §8.2).
var ErrCopyDiffers = errors.New("the copy of a request was answered differently")

// exchange sends r, tells watch of it and of its answer, and returns the answer.
func (s *Switch) exchange(ctx context.Context, r ccr, watch func(Message)) (Message, error) {
	r.endToEnd = s.ids.nextEndToEnd()
	answer, err := s.send(ctx, s.conn, r, watch)
	if err != nil || s.again == nil {
		return answer, err
	}
	r.copy = true
	second, err := s.send(ctx, s.again, r, watch)
	if err != nil {
		return answer, err
	}
	second.Took, second.Copy = answer.Took, answer.Copy
	if !reflect.DeepEqual(answer, second) {
		return answer, fmt.Errorf("%w: first %v, then %v", ErrCopyDiffers, answer, second)
	}
	return answer, nil
}

func (s *Switch) send(ctx context.Context, conn *Conn, r ccr, watch func(Message)) (Message, error) {
	request := r.message()
	watch(request)
	sent := time.Now()
	frame, err := conn.ask(ctx, func(hopByHop uint32) []byte {
		realm := s.config.DestinationRealm
		if realm == "" {
			realm = conn.server.realm
		}
		return r.encode(s.config, realm, hopByHop)
	})
	if err != nil {
		return Message{}, fmt.Errorf("%s %d: %w", request.Command, request.Number, err)
	}
	answer := Message{
		Time: r.at, Command: "CCA-" + string(commandLetters[r.requestType]), Number: r.number, Session: r.session,
		Copy: r.copy, Action: request.Action, Unit: r.unit, Took: time.Since(sent),
	}
	if err := readAnswer(frame, &answer); err != nil {
		return Message{}, err
	}
	watch(answer)
	return answer, nil
}
