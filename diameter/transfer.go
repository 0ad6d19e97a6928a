package diameter

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/fiorix/go-diameter/v4/diam/avp"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/transfer"
)

// A TransferRequest is a request about minutes that a client sent (spec/transfer 4), whose form was found right.
//
// The door cannot know on which side of a stored transfer the acting subscriber stands. Request.By says sender for all
// but a request for minutes and a pay-out; where [transfer.Operation.OnStored], whoever decides looks it up.
type TransferRequest struct {
	Request transfer.Request // Number, NewBucketID, Credential and Payout are still to be filled
	Acting  ocs.Identity     // the subscriber who acts
	PIN     string           // as typed, never to be stored or logged; empty: none was given
	Vouched bool             // a peer that may do so says that it has recognised the person
	Payout  string           // pay-out code, likewise: as the client chose it in OpPrepare, as typed in OpConfirm
	IMSI    string           // of the session, for the check against a changed SIM; empty: not told
}

// What can go wrong with a request before anybody knows its outcome. Of any other error it is not known what was written:
// such a request is not answered, and its client asks again (spec/transfer 4.5, 4.6).
var (
	ErrTransferBusy    = errors.New("nothing was written, and another server may do it")
	ErrTransferNotDone = errors.New("nothing was written, and trying again is of no use")
)

// Transfers says how minutes are moved over this interface.
type Transfers struct {
	// Do has r decided. done is called once, from any goroutine, when the outcome is durable. Do does not wait. nil: minutes
	// are not moved over this interface.
	Do func(ctx context.Context, r TransferRequest, done func(transfer.Outcome, error))

	Contexts   []string             // values of Service-Context-Id, [DefaultTransferContext]
	Profiles   []TransferProfile    // that are read, [ProfileIETF] alone
	Operations []transfer.Operation // that a peer may ask for which Peer.Transfers says nothing about; nil: none

	VendorID        uint32   // of profile B and of Experimental-Result; 0: neither
	AcceptVendorIDs []uint32 // further ones that requests of profile B may have, while clients are changed over
	CodeBase        uint32   // AVP code of Transfer-Information, 1000
	Experimental    bool     // tell refusals in Experimental-Result, beside the Result-Code that RFC 8506 demands
	Production      bool     // no vendor id that is reserved for documentation

	PlainCredentials bool   // PINs are taken from peers without TLS too
	Language         string // of texts for the handset, en
}

// DefaultTransferContext is in a domain that nobody can own, to say that it is to be changed.
const DefaultTransferContext = "minute-transfer.v1@ocs.example"

// A TransferProfile is a way to carry a transfer in AVPs (spec/transfer 4.2 to 4.4).
type TransferProfile string

// The profiles.
const (
	ProfileIETF   TransferProfile = "ietf"   // A: Service-Parameter-Info, no AVP of our own
	ProfileVendor TransferProfile = "vendor" // B: a group of the operator's own
	Profile3GPP   TransferProfile = "3gpp"   // C: what clients of TS 32.299 can send; no credentials
)

// DocumentationVendorID is the enterprise number of examples (RFC 5612).
const DocumentationVendorID = 32473

// transferToken begins every context that means a transfer, whoever allotted it. What has it is never charged as an
// ordinary event: that would debit the sender and credit nobody.
const transferToken = "minute-transfer."

func (t Transfers) withDefaults() Transfers {
	if len(t.Contexts) == 0 {
		t.Contexts = []string{DefaultTransferContext}
	}
	if len(t.Profiles) == 0 {
		t.Profiles = []TransferProfile{ProfileIETF}
	}
	t.CodeBase = cmp.Or(t.CodeBase, 1000)
	t.Language = cmp.Or(t.Language, transfer.Languages()[0])
	return t
}

// Validate returns every fault of t, joined.
func (t Transfers) Validate() error {
	var faults []error
	fault := func(wrong bool, format string, args ...any) {
		if wrong {
			faults = append(faults, fmt.Errorf("transfers: "+format, args...))
		}
	}
	for _, id := range t.Contexts {
		token, domain, found := strings.Cut(id, "@")
		fault(!found || token == "" || !isDomain([]byte(domain)) || len(id) > maxName, "context %q is not token@domain", id)
		fault(strings.EqualFold(domain, domain3GPP), "context %q is in a domain that is not ours to allot in", id)
	}
	for _, p := range t.Profiles {
		fault(!slices.Contains([]TransferProfile{ProfileIETF, ProfileVendor, Profile3GPP}, p), "profile %q is none of ietf, vendor, 3gpp", p)
	}
	fault(slices.Contains(t.Profiles, ProfileVendor) && t.VendorID == 0, "profile vendor needs a vendor id")
	fault(t.Experimental && t.VendorID == 0, "Experimental-Result needs a vendor id")
	for _, id := range slices.Concat([]uint32{t.VendorID}, t.AcceptVendorIDs) {
		fault(id == vendor3GPP, "vendor id %d is 3GPP's", id)
		fault(t.Production && id == DocumentationVendorID, "vendor id %d is for documentation and tests (RFC 5612), not for production", id)
	}
	fault(slices.Contains(t.AcceptVendorIDs, 0), "vendor id 0 is the IETF's")
	fault(t.CodeBase > 1<<32-vendorCodes, "code base %d leaves no room for %d codes", t.CodeBase, vendorCodes)
	fault(t.Language != "" && !slices.Contains(transfer.Languages(), t.Language), "language %q is none of %v", t.Language, transfer.Languages())
	return errors.Join(faults...)
}

// TransferOperations reads the names of operations, as [transfer.Operation.String] writes them. "all" means all that a
// client can ask for.
func TransferOperations(names []string) ([]transfer.Operation, error) {
	operations := []transfer.Operation{}
	for _, name := range names {
		found := name == "all"
		for o := transfer.OpQuote; o <= transfer.OpDecline; o++ {
			if name == "all" || name == o.String() {
				operations, found = append(operations, o), true
			}
		}
		if !found {
			return nil, fmt.Errorf("%q is no operation of a transfer", name)
		}
	}
	return operations, nil
}

// concerns reports whether f asks for a transfer, and whether in a context that is served.
func (t *Transfers) concerns(f frame) (concerned, served bool) {
	for a := range f.avps() {
		if !a.is(avp.ServiceContextID) {
			continue
		}
		id := strings.ToLower(string(a.data))
		configured := slices.ContainsFunc(t.Contexts, func(s string) bool { return strings.EqualFold(s, id) })
		return configured || strings.HasPrefix(id, transferToken), configured && t.Do != nil
	}
	return false, false
}

// mayAsk reports whether p may ask for o.
func (t *Transfers) mayAsk(p Peer, o transfer.Operation) bool {
	if p.Transfers != nil {
		return slices.Contains(p.Transfers, o)
	}
	return slices.Contains(t.Operations, o)
}
