package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// PeerList is the Diameter connections of this server.
type PeerList struct {
	Peers []Peer `json:"peers" nullable:"false"`
}

// The causes to disconnect, Disconnect-Cause of RFC 6733 §5.4.3 in words.
const (
	CauseRebooting  = "rebooting"
	CauseBusy       = "busy"
	CauseNotWelcome = "not-welcome"
)

// Disconnection is the body that takes leave of a peer.
type Disconnection struct {
	Cause string `json:"cause,omitempty" enum:"rebooting,busy,not-welcome" default:"busy" doc:"what the peer is told: not-welcome asks it to stay away"`
}

// Disconnected is what came of it.
type Disconnected struct {
	OriginHost  string `json:"origin_host"`
	Connections int    `json:"connections" doc:"that end, when what is in work on them is answered"`
}

func (s *server) handlePeers(care huma.API) {
	huma.Register(care, operation(huma.Operation{
		OperationID: "list-peers", Method: http.MethodGet, Path: "/care/v1/peers",
		Summary: "List the Diameter connections of this server, with what they brought",
	}), func(context.Context, *struct{}) (*struct{ Body PeerList }, error) {
		told := PeerList{Peers: []Peer{}}
		if s.Peers != nil {
			told.Peers = append(told.Peers, s.Peers()...)
		}
		return &struct{ Body PeerList }{told}, nil
	})
	huma.Register(care, operation(huma.Operation{
		OperationID: "disconnect-peer", Method: http.MethodPost, Path: "/care/v1/peers/{host}/disconnect",
		Summary: "Take leave of a peer of this server (DPR)", DefaultStatus: http.StatusAccepted, Errors: []int{http.StatusNotFound},
	}), s.disconnectPeer)
}

func (s *server) disconnectPeer(ctx context.Context, in *struct {
	Host string `path:"host" maxLength:"255" doc:"Origin-Host of the peer"`
	Body Disconnection
}) (*struct{ Body Disconnected }, error) {
	ended := 0
	if s.Disconnect != nil {
		ended = s.Disconnect(in.Host, in.Body.Cause)
	}
	if ended == 0 {
		return nil, notFound("no peer of this name is connected with this server")
	}
	if err := s.Store.AuditAppend(ctx, s.entry(ctx, "peer disconnected", in.Host, nil, map[string]string{"cause": in.Body.Cause})); err != nil {
		return nil, s.storeFault(ctx, "write down the disconnection, which was made,", err)
	}
	return &struct{ Body Disconnected }{Disconnected{OriginHost: in.Host, Connections: ended}}, nil
}
