package main

import (
	"context"
	"fmt"
	"io"
	"net"

	"github.com/fiorix/go-diameter/v4/diam"
	codes "github.com/fiorix/go-diameter/v4/diam/avp"
	"github.com/fiorix/go-diameter/v4/diam/datatype"
	"github.com/fiorix/go-diameter/v4/diam/dict"
	"github.com/fiorix/go-diameter/v4/diam/sm"
)

// serveEcho is the ceiling: a server of go-diameter as its README has it, which decodes every Credit-Control-Request and
// answers it with a grant, but keeps nothing, knows nobody and checks nothing. It prints its address and serves until
// stdin ends, so that it cannot outlive the benchmark.
func serveEcho(ctx context.Context, stdin io.Reader, stdout io.Writer) error {
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(stdout, listener.Addr()); err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() { served <- newEcho().Serve(listener) }()
	ended := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, stdin)
		ended <- err
	}()
	select {
	case err := <-served:
		return err
	case err := <-ended:
		return err // the listener ends with the process; closing it would only have the library complain
	}
}

func newEcho() *diam.Server {
	machine := sm.New(&sm.Settings{
		OriginHost:       datatype.DiameterIdentity(echoHost),
		OriginRealm:      datatype.DiameterIdentity(serverRealm),
		VendorID:         0,
		ProductName:      "echo",
		OriginStateID:    1,
		FirmwareRevision: 1,
	})
	machine.HandleFunc(diam.CCR, echo)
	machine.HandleFunc("DPR", echoDisconnect) // package sm has no handler for it
	go func() {
		for range machine.ErrorReports() { // it would not wait for us, but neither drop what is lost here for good
		}
	}()
	return &diam.Server{Handler: machine, Dict: dict.Default}
}

const echoHost = "echo." + serverRealm

// echo answers with what a grant needs: some 200 octets.
func echo(c diam.Conn, m *diam.Message) {
	a := m.Answer(diam.Success)
	requestType, number := datatype.Enumerated(0), datatype.Unsigned32(0)
	for _, v := range m.AVP {
		switch data := v.Data.(type) {
		case datatype.UTF8String:
			if v.Code == codes.SessionID {
				a.InsertAVP(diam.NewAVP(codes.SessionID, codes.Mbit, 0, data))
			}
		case datatype.Enumerated:
			if v.Code == codes.CCRequestType {
				requestType = data
			}
		case datatype.Unsigned32:
			if v.Code == codes.CCRequestNumber {
				number = data
			}
		}
	}
	add := func(code uint32, data datatype.Type) { a.AddAVP(diam.NewAVP(code, codes.Mbit, 0, data)) }
	add(codes.OriginHost, datatype.DiameterIdentity(echoHost))
	add(codes.OriginRealm, datatype.DiameterIdentity(serverRealm))
	add(codes.AuthApplicationID, datatype.Unsigned32(4))
	add(codes.CCRequestType, requestType)
	add(codes.CCRequestNumber, number)
	group := func(avps ...*diam.AVP) *diam.GroupedAVP { return &diam.GroupedAVP{AVP: avps} }
	member := func(code uint32, data datatype.Type) *diam.AVP { return diam.NewAVP(code, codes.Mbit, 0, data) }
	add(codes.MultipleServicesCreditControl, group(
		member(codes.GrantedServiceUnit, group(member(codes.CCTime, datatype.Unsigned32(60)))),
		member(codes.RatingGroup, datatype.Unsigned32(100)),
		member(codes.ValidityTime, datatype.Unsigned32(360)),
		member(codes.ResultCode, datatype.Unsigned32(diam.Success)),
	))
	a.WriteTo(c) //nolint:errcheck // a switch that is gone is told of by its own side
}

func echoDisconnect(c diam.Conn, m *diam.Message) {
	a := m.Answer(diam.Success)
	a.AddAVP(diam.NewAVP(codes.OriginHost, codes.Mbit, 0, datatype.DiameterIdentity(echoHost)))
	a.AddAVP(diam.NewAVP(codes.OriginRealm, codes.Mbit, 0, datatype.DiameterIdentity(serverRealm)))
	a.WriteTo(c) //nolint:errcheck // a switch that is gone is told of by its own side
}
