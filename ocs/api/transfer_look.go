package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/charging"
	"github.com/gyro-ocs/gyro/transfer"
)

func (s *server) handleTransferLook(care huma.API) {
	huma.Register(care, operation(huma.Operation{
		OperationID: "get-transfer", Method: http.MethodGet, Path: "/care/v1/transfers/{reference}",
		Summary: "Show a transfer", Errors: []int{http.StatusNotFound},
	}), func(ctx context.Context, in *ReferenceInput) (*struct{ Body StoredTransfer }, error) {
		t, err := s.findTransfer(ctx, in.Reference)
		if err != nil {
			return nil, err
		}
		told, err := s.withParties(ctx, t)
		if err != nil {
			return nil, err
		}
		return &struct{ Body StoredTransfer }{told}, nil
	})
	huma.Register(care, operation(huma.Operation{
		OperationID: "explain-transfer", Method: http.MethodGet, Path: "/care/v1/transfers/{reference}/explanation",
		Summary: "Show every rule that a transfer was decided by, with its inputs and its result", Errors: []int{http.StatusNotFound},
	}), s.explainTransfer)
	huma.Register(care, operation(huma.Operation{
		OperationID: "list-undecided-transfers", Method: http.MethodGet, Path: "/care/v1/transfers",
		Summary: "List the transfers and claims that await a decision of the operator's persons, those that lapse first before the others",
	}), s.listUndecided)
	huma.Register(care, operation(huma.Operation{
		OperationID: "list-transfers", Method: http.MethodGet, Path: "/care/v1/subscribers/{subscriber}/transfers",
		Summary: "List the last transfers of a subscriber, sent and received, newest first", Errors: []int{http.StatusNotFound},
	}), s.listTransfers)
	huma.Register(care, operation(huma.Operation{
		OperationID: "get-allowance", Method: http.MethodGet, Path: "/care/v1/subscribers/{subscriber}/allowance",
		Summary: "Show how much a subscriber may send now, and what keeps the rest", Errors: []int{http.StatusNotFound},
	}), s.allowance)
}

func (s *server) explainTransfer(ctx context.Context, in *ReferenceInput) (*struct{ Body Explanation }, error) {
	t, err := s.findTransfer(ctx, in.Reference)
	if err != nil {
		return nil, err
	}
	told, err := s.withParties(ctx, t)
	if err != nil {
		return nil, err
	}
	checks, err := s.Store.TransferChecks(ctx, t.Reference)
	if err != nil {
		return nil, s.storeFault(ctx, "load the rules of the decision", err)
	}
	return &struct{ Body Explanation }{Explanation{told, tellChecks(checks), optionalTime(nextAt(checks))}}, nil
}

// withParties tells a transfer with the numbers of both sides.
func (s *server) withParties(ctx context.Context, t transfer.Transfer) (StoredTransfer, error) {
	told, numbers := tellStored(t), s.msisdns()
	var err error
	if told.From, err = numbers.of(ctx, t.Sender); err != nil {
		return told, err
	}
	if told.To, err = numbers.of(ctx, t.Receiver); err != nil {
		return told, err
	}
	asked := strings.TrimPrefix(t.Counterparty, telScheme)
	switch {
	case told.To == "" && t.Operation != transfer.OpSolicit:
		told.To = asked
	case told.From == "" && t.Operation == transfer.OpSolicit:
		told.From = asked
	}
	return told, nil
}

func (s *server) listTransfers(ctx context.Context, in *struct {
	SubscriberInput
	Limit int `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}) (*transferListOutput, error) {
	subscriber, err := s.find(ctx, in.Subscriber)
	if err != nil {
		return nil, err
	}
	stored, err := s.Store.TransfersOf(ctx, subscriber.ID, in.Limit)
	if err != nil {
		return nil, s.storeFault(ctx, "list the transfers", err)
	}
	return s.tellTransfers(ctx, stored)
}

func (s *server) listUndecided(ctx context.Context, in *struct {
	Limit int `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}) (*transferListOutput, error) {
	stored, err := s.Store.UndecidedTransfers(ctx, in.Limit)
	if err != nil {
		return nil, s.storeFault(ctx, "list what is to be decided", err)
	}
	return s.tellTransfers(ctx, stored)
}

type transferListOutput struct{ Body TransferList }

func (s *server) tellTransfers(ctx context.Context, stored []transfer.Transfer) (*transferListOutput, error) {
	list := TransferList{Transfers: make([]StoredTransfer, 0, len(stored))}
	for _, t := range stored {
		told, err := s.withParties(ctx, t)
		if err != nil {
			return nil, err
		}
		list.Transfers = append(list.Transfers, told)
	}
	return &transferListOutput{list}, nil
}

func (s *server) allowance(ctx context.Context, in *struct {
	SubscriberInput
	Kind string `query:"kind" enum:"p2p,merchant,cashout,agent,float,gift" default:"p2p"`
}) (*answerOutput, error) {
	subscriber, err := s.find(ctx, in.Subscriber)
	if err != nil {
		return nil, err
	}
	t := charging.Transfer{
		Acting: ocs.Identity{Kind: ocs.E164, Value: subscriber.MSISDN},
		Request: transfer.Request{
			Operation: transfer.OpAllowance, Kind: transfer.Kind(in.Kind), Channel: transfer.API, Caller: careCaller,
			By: transfer.BySender,
		},
	}
	return s.decideTransfer(ctx, t)
}

// handleTransferDesk serves everything about transfers.
func (s *server) handleTransferDesk(mux *routes, care huma.API) {
	if s.Transfer == nil {
		s.Transfer = func(context.Context, charging.Transfer) (transfer.Outcome, error) {
			return transfer.Outcome{}, charging.ErrBusy
		}
	}
	s.handleTransfers(care)
	s.handleRoles(care)
	s.handleProfiles(care)
	s.handlePINs(care)
	s.handlePolicy(care)
	s.handleTrace(care)
	s.handleAudit(care)
	s.handleUSSD(mux, care)
}
