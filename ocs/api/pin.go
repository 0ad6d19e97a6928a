package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/pin"
)

// A PINState tells about the PIN of a subscriber, and never what it is.
type PINState struct {
	Set         bool       `json:"set"`
	MustChange  bool       `json:"must_change" doc:"somebody else gave it: it opens nothing until it is changed"`
	TriesLeft   int        `json:"tries_left"`
	LockedUntil *time.Time `json:"locked_until"`
	ChangedAt   *time.Time `json:"changed_at"`
}

// NewPIN is the body that gives a subscriber a PIN.
type NewPIN struct {
	PIN    string `json:"pin" maxLength:"16"`
	Chosen bool   `json:"chosen,omitempty" doc:"the subscriber is here and chose it; else it must be changed before it opens anything"`
	Old    string `json:"old,omitempty" maxLength:"16" doc:"with chosen, where there is a PIN already"`
	Person string `json:"person,omitempty" maxLength:"64"`
}

// A ResetPIN is a PIN that was drawn. This is the only time that it is told.
type ResetPIN struct {
	PIN   string   `json:"pin" doc:"to be given to the subscriber, who must change it"`
	State PINState `json:"state"`
}

// PersonBody names who of the operator acts.
type PersonBody struct {
	Person string `json:"person,omitempty" maxLength:"64"`
}

func (s *server) handlePINs(care huma.API) {
	register := func(id, method, path, summary string) huma.Operation {
		return operation(huma.Operation{
			OperationID: id, Method: method, Path: "/care/v1/subscribers/{subscriber}/pin" + path, Summary: summary,
			Errors: []int{http.StatusNotFound, http.StatusForbidden, http.StatusConflict},
		})
	}
	huma.Register(care, register("get-pin", http.MethodGet, "", "Show whether a subscriber has a PIN, and whether it is locked"),
		func(ctx context.Context, in *SubscriberInput) (*struct{ Body PINState }, error) {
			subscriber, err := s.findWithPIN(ctx, in.Subscriber)
			if err != nil {
				return nil, err
			}
			return s.pinState(ctx, subscriber)
		})
	huma.Register(care, register("set-pin", http.MethodPut, "", "Give a subscriber a PIN"), s.setPIN)
	huma.Register(care, register("reset-pin", http.MethodPost, "/reset", "Draw a PIN for a subscriber who has lost it"), s.resetPIN)
	huma.Register(care, register("unlock-pin", http.MethodPost, "/unlock", "Let a subscriber try again whose PIN is locked"), s.unlockPIN)
}

// findWithPIN finds a subscriber, where PINs are kept at all.
func (s *server) findWithPIN(ctx context.Context, name string) (ocs.Subscriber, error) {
	if s.PINs == nil {
		return ocs.Subscriber{}, huma.Error409Conflict("this server keeps no PINs")
	}
	return s.find(ctx, name)
}

func (s *server) pinState(ctx context.Context, subscriber ocs.Subscriber) (*struct{ Body PINState }, error) {
	state, err := s.PINs.State(ctx, subscriber.ID)
	if err != nil {
		return nil, s.storeFault(ctx, "load the state of the PIN", err)
	}
	return &struct{ Body PINState }{PINState{
		state.IsSet, state.MustChange, state.TriesLeft, optionalTime(state.LockedUntil), optionalTime(state.ChangedAt),
	}}, nil
}

func (s *server) setPIN(ctx context.Context, in *struct {
	SubscriberInput
	Body NewPIN
}) (*struct{ Body PINState }, error) {
	subscriber, err := s.findWithPIN(ctx, in.Subscriber)
	if err != nil {
		return nil, err
	}
	if in.Body.Chosen {
		err = s.choosePIN(ctx, subscriber, in.Body)
	} else {
		err = s.pinFault(ctx, s.PINs.Set(ctx, subscriber.ID, pin.Secret(in.Body.PIN)))
	}
	if err == nil {
		err = s.pinActed(ctx, in.Body.Person, "set PIN", subscriber.ID)
	}
	if err != nil {
		return nil, err
	}
	return s.pinState(ctx, subscriber)
}

// choosePIN gives a subscriber the PIN of its own choice.
func (s *server) choosePIN(ctx context.Context, subscriber ocs.Subscriber, body NewPIN) error {
	attempt := pin.Attempt{Subscriber: subscriber.ID, PIN: pin.Secret(body.Old), Channel: "api", Gateway: careCaller}
	credential, err := s.PINs.Change(ctx, attempt, pin.Secret(body.PIN), subscriber.MSISDN)
	if err != nil {
		return s.pinFault(ctx, err)
	}
	switch credential.Result {
	case "verified":
		return nil
	case "locked":
		return huma.Error403Forbidden("the PIN is locked: unlock or reset it")
	case "", "wrong", "must change":
	}
	return huma.Error403Forbidden("the old PIN is not right")
}

func (s *server) resetPIN(ctx context.Context, in *struct {
	SubscriberInput
	Body PersonBody
}) (*struct{ Body ResetPIN }, error) {
	subscriber, err := s.findWithPIN(ctx, in.Subscriber)
	if err != nil {
		return nil, err
	}
	drawn, err := s.PINs.Reset(ctx, subscriber.ID)
	if err == nil {
		err = s.pinActed(ctx, in.Body.Person, "reset PIN", subscriber.ID)
	}
	if err != nil {
		return nil, s.pinFault(ctx, err)
	}
	state, err := s.pinState(ctx, subscriber)
	if err != nil {
		return nil, err
	}
	return &struct{ Body ResetPIN }{ResetPIN{string(drawn), state.Body}}, nil
}

func (s *server) unlockPIN(ctx context.Context, in *struct {
	SubscriberInput
	Body PersonBody
}) (*struct{ Body PINState }, error) {
	subscriber, err := s.findWithPIN(ctx, in.Subscriber)
	if err != nil {
		return nil, err
	}
	err = s.PINs.Unlock(ctx, subscriber.ID)
	if err == nil {
		err = s.pinActed(ctx, in.Body.Person, "unlock PIN", subscriber.ID)
	}
	if err != nil {
		return nil, s.pinFault(ctx, err)
	}
	return s.pinState(ctx, subscriber)
}

// pinActed writes down that a PIN was set, reset or unlocked, and nothing of the PIN.
func (s *server) pinActed(ctx context.Context, person, action string, id ocs.SubscriberID) error {
	if err := s.operatorActed(ctx, person, action, string(id), nil, nil); err != nil {
		return s.storeFault(ctx, "write the audit log", err)
	}
	s.acted(ctx, action, id)
	return nil
}

// pinFault is the problem that err of the checker becomes.
func (s *server) pinFault(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if problem, ok := errors.AsType[huma.StatusError](err); ok {
		return problem
	}
	if weak, ok := errors.AsType[pin.WeakError](err); ok {
		return invalid("body.pin", weak)
	}
	switch {
	case errors.Is(err, pin.ErrNoReset):
		return huma.Error403Forbidden(pin.ErrNoReset.Error())
	case errors.Is(err, pin.ErrBusy):
		return huma.Error503ServiceUnavailable(pin.ErrBusy.Error() + "; try again in a while")
	}
	return s.storeFault(ctx, "change the PIN", err)
}

// pinChanged writes down that a subscriber changed its PIN itself.
func (s *server) pinChanged(ctx context.Context, id ocs.SubscriberID, channel string) error {
	return s.audit(ctx, subscriberActed(id, channel, "change PIN", nil))
}
