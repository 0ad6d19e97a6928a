package cdr

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
)

// An asn1Writer writes records as BER after docs/GyroChargingRecords.asn1, framed by TS 32.297. A call of a telephony service is an
// MMTelRecord of TS 32.298 with what was charged in its recordExtensions; everything else is a record of our own. The head
// of a file tells its length, so the file is gathered before it is passed on.
type asn1Writer struct {
	w     io.Writer
	spool *spool
	head  fileHead
	ber   berWriter
	out   []byte
	count uint32
	bytes int64
}

// What TS 32.297 has for the standards that records follow (6.1.2), and the release whose types are used.
const (
	ts32275    = 14 // MMTel
	ts32296    = 17 // OCS
	release    = 17
	berFormat  = 1
	mostRecord = 1<<16 - 1 // octets; the length has two
)

func newASN1Writer(w io.Writer, head fileHead) (*asn1Writer, error) {
	s, err := newSpool()
	if err != nil {
		return nil, err
	}
	return &asn1Writer{w: w, spool: s, head: head}, nil
}

func (a *asn1Writer) add(r *Row) error {
	standard := a.encode(r, len(r.Lines))
	for lines := len(r.Lines) / 2; len(a.ber.data) > mostRecord; lines /= 2 { // the sums still count all
		if standard = a.encode(r, lines); lines == 0 && len(a.ber.data) > mostRecord {
			return fmt.Errorf("record %d takes %d octets, more than a CDR file can hold", r.Sequence, len(a.ber.data))
		}
	}
	// The header of a CDR, TS 32.297 6.1.2: length, release 10 or later with its extension behind, format, standard.
	a.out = binary.BigEndian.AppendUint16(a.out, uint16(len(a.ber.data))) //nolint:gosec // G115: checked above
	a.out = append(a.out, 7<<5, berFormat<<5|standard, release-10)
	a.out = append(a.out, a.ber.data...)
	a.count++
	if len(a.out) < flushAt {
		return nil
	}
	return a.flush()
}

func (a *asn1Writer) flush() error {
	n, err := a.spool.Write(a.out)
	a.bytes += int64(n)
	a.out = a.out[:0]
	return err
}

func (a *asn1Writer) drop() { _ = a.spool.Close() } // nothing of it is wanted

func (a *asn1Writer) end() error {
	if err := a.flush(); err != nil {
		return err
	}
	header, err := a.header()
	if err != nil {
		return err
	}
	if _, err := a.w.Write(header); err != nil {
		return err
	}
	return a.spool.pass(a.w)
}

// header is that of the file, TS 32.297 6.1.1. It was opened and closed when the month was closed: the same file is always
// the same.
func (a *asn1Writer) header() ([]byte, error) {
	const length = 54
	if a.bytes+length > 1<<32-1 {
		return nil, fmt.Errorf("%d octets are more than a CDR file can hold: close months with fewer records in a file", a.bytes)
	}
	h := make([]byte, 0, length)
	h = binary.BigEndian.AppendUint32(h, uint32(a.bytes+length)) //nolint:gosec // G115: checked above
	h = binary.BigEndian.AppendUint32(h, length)
	h = append(h, 7<<5, 7<<5) // highest and lowest release: both stand in the extensions below
	at := headTime(a.head.sealed.In(a.head.zone))
	h = binary.BigEndian.AppendUint32(h, at)
	h = binary.BigEndian.AppendUint32(h, at)
	h = binary.BigEndian.AppendUint32(h, a.count)
	h = binary.BigEndian.AppendUint32(h, uint32(a.head.file)) //nolint:gosec // G115: wraps after four billion files
	h = append(h, 0)                                          // closed normally
	h = append(h, 0xff, 0xff, 0xff, 0xff)                     // address of the node: not told
	h = append(h, make([]byte, 16)...)
	h = append(h, 0)    // no CDR was lost
	h = append(h, 0, 0) // no filter
	h = append(h, 0, 0) // no private extension
	h = append(h, release-10, release-10)
	if len(h) != length {
		panic(fmt.Sprintf("cdr: the header of a CDR file has %d octets", len(h)))
	}
	return h, nil
}

// headTime packs month, day, hour, minute and offset into 32 bits.
func headTime(at time.Time) uint32 {
	_, offset := at.Zone()
	sign := 1
	if offset < 0 {
		sign, offset = 0, -offset
	}
	packed := int(at.Month())<<28 | at.Day()<<23 | at.Hour()<<18 | at.Minute()<<12 | sign<<11 | offset/3600<<6 | offset/60%60
	return uint32(packed) //nolint:gosec // G115: 32 bits
}

// isTelephony reports whether a record is of a call of a telephony service: IMS, MMTel or circuit-switched.
func isTelephony(r *Row) bool {
	if r.Kind != string(Call) {
		return false
	}
	service, _, _ := strings.Cut(r.Service, "@")
	return service == "32260" || service == "32275" || service == "32276"
}

// encode writes the record with its first lines, and returns the number of its standard.
func (a *asn1Writer) encode(r *Row, lines int) (standard byte) {
	a.ber.data = a.ber.data[:0]
	if isTelephony(r) {
		a.mmtel(r, lines)
		return ts32275
	}
	a.own(r, lines)
	return ts32296
}

// mmtel writes an MMTelRecord of TS 32.298.
func (a *asn1Writer) mmtel(r *Row, lines int) {
	b := &a.ber
	b.begin(contextClass, 83)
	b.integer(0, 83) // recordType
	switch r.Direction {
	case "originating":
		b.integer(3, 0)
	case "terminating":
		b.integer(3, 1)
	}
	if r.OriginHost != "" {
		b.begin(contextClass, 4)
		b.text(1, r.OriginHost) // domainName
		b.end()
	}
	b.text(5, r.Session)
	if r.Calling != "" {
		b.begin(contextClass, 6)
		a.party(r.Calling)
		b.end()
	}
	a.taggedParty(7, r.Called)
	asked := r.CallStart
	if asked.IsZero() {
		asked = r.StartedAt
	}
	b.time(9, asked, a.head.zone)
	b.time(10, r.Answered, a.head.zone)
	b.time(11, r.EndedAt, a.head.zone)
	b.time(12, r.StartedAt, a.head.zone)
	b.time(13, r.EndedAt, a.head.zone)
	b.integer(15, r.Sequence&(1<<32-1))
	if r.Part > 1 || r.Cause == string(ocs.ByInterval) || r.Cause == string(ocs.ByMonth) {
		b.integer(16, r.Part)
	}
	b.integer(17, closingCause(r))
	b.text(19, r.ICID)
	b.begin(contextClass, 25) // recordExtensions
	b.begin(universal, 16)
	b.data = append(b.data, extensionID...)
	b.begin(contextClass, 2) // information
	b.begin(universal, 16)
	a.charges(r, lines)
	b.end()
	b.end()
	b.end()
	b.end()
	b.text(30, r.Service)
	a.subscriptions(r)
	b.integerUnlessZero(37, milliseconds(asked))
	b.integerUnlessZero(38, milliseconds(r.Answered))
	b.integerUnlessZero(39, milliseconds(r.EndedAt))
	b.null(43) // online-charging-flag
	b.text(54, r.Network)
	a.taggedParty(101, r.Dialled)
	b.end()
}

func milliseconds(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return int64(at.Nanosecond() / int(time.Millisecond))
}

// closingCause is a CauseForRecordClosing.
func closingCause(r *Row) int64 {
	switch ocs.EndCause(r.Cause) {
	case ocs.ByInterval, ocs.ByMonth:
		return 3 // timeLimit
	case ocs.ByOperator:
		return 5 // managementIntervention
	case ocs.ByDenial:
		return 1 // unSuccessfulServiceDelivery
	case ocs.ByTermination, ocs.ByRefusal, ocs.BySupervision, ocs.ByRestart, ocs.ByEvent, ocs.ByClient:
	}
	if r.UsedSeconds == 0 && r.Part <= 1 {
		return 1
	}
	return 0
}

// party writes an InvolvedParty by what its address looks like.
func (a *asn1Writer) party(address string) {
	switch scheme, _, _ := strings.Cut(strings.ToLower(address), ":"); scheme {
	case "sip", "sips":
		a.ber.text(0, address)
	case "tel":
		a.ber.text(1, address)
	case "urn":
		a.ber.text(2, address)
	default:
		a.ber.text(3, address) // iSDN-E164
	}
}

func (a *asn1Writer) taggedParty(number int, address string) {
	if address != "" {
		a.ber.begin(contextClass, number)
		a.party(address)
		a.ber.end()
	}
}

// subscriptions writes list-of-subscription-ID.
func (a *asn1Writer) subscriptions(r *Row) {
	a.ber.begin(contextClass, 31)
	for kind, id := range []string{r.MSISDN, r.IMSI} { // END-USER-E164, END-USER-IMSI
		if id != "" {
			a.ber.begin(universal, 17)
			a.ber.integer(0, int64(kind))
			a.ber.text(1, id)
			a.ber.end()
		}
	}
	a.ber.end()
}

// extensionID is the OBJECT IDENTIFIER of what was charged: 2.25 and the UUID 7f2d6c1e-0d5b-4c2e-9a53-3b8c4e1f6a90, which
// needs no registration (X.667).
var extensionID = oidOf([16]byte{0x7f, 0x2d, 0x6c, 0x1e, 0x0d, 0x5b, 0x4c, 0x2e, 0x9a, 0x53, 0x3b, 0x8c, 0x4e, 0x1f, 0x6a, 0x90})

// oidOf encodes 2.25.uuid, with its tag.
func oidOf(id [16]byte) []byte {
	var digits []byte // of base 128, the last one first
	hi, lo := binary.BigEndian.Uint64(id[:8]), binary.BigEndian.Uint64(id[8:])
	for hi != 0 || lo != 0 {
		digits = append(digits, byte(lo&0x7f))
		lo, hi = lo>>7|hi<<57, hi>>7
	}
	oid := []byte{6, byte(len(digits) + 1), 2*40 + 25} //nolint:gosec // G115: 19 at most
	for i, digit := range slices.Backward(digits) {
		if i > 0 {
			digit |= 0x80
		}
		oid = append(oid, digit)
	}
	return oid
}

// charges writes the fields of GyroCharges.
func (a *asn1Writer) charges(r *Row, lines int) {
	b := &a.ber
	b.integer(0, r.Sequence)
	b.text(1, r.Kind)
	b.truth(2, r.Correction)
	b.integerUnlessZero(3, r.Part)
	b.text(4, r.Cause)
	b.text(5, r.Result)
	b.text(6, r.OtherParty)
	b.text(7, r.Plan)
	b.text(8, r.Catalog)
	b.integerUnlessZero(9, r.UsedSeconds)
	b.integerUnlessZero(10, r.UsedOctets)
	b.integerUnlessZero(11, r.UsedEvents)
	b.integerUnlessZero(12, r.ChargedSeconds)
	b.integerUnlessZero(13, r.ChargedOctets)
	b.integerUnlessZero(14, r.ChargedEvents)
	b.integerUnlessZero(15, r.ChargedMoney)
	b.text(16, r.Currency)
	b.integerUnlessZero(17, r.OverrunSeconds)
	b.integerUnlessZero(18, r.OverrunOctets)
	b.integerUnlessZero(19, r.OverrunMoney)
	if r.TerminationCause != nil {
		b.integer(20, int64(*r.TerminationCause))
	}
	if r.CauseCode != nil {
		b.integer(21, int64(*r.CauseCode))
	}
	b.text(22, r.Reasons)
	b.text(23, r.Missing)
	b.text(24, r.Routes)
	b.text(25, r.OriginRealm)
	b.text(26, r.SubSession)
	if lines > 0 {
		b.begin(contextClass, 27)
		for i := range r.Lines[:lines] {
			a.line(&r.Lines[i])
		}
		b.end()
	}
	b.truth(28, lines < len(r.Lines))
}

func (a *asn1Writer) line(l *Line) {
	b := &a.ber
	b.begin(universal, 16)
	if l.RatingGroup != nil {
		b.integer(0, int64(*l.RatingGroup))
	}
	b.text(1, l.Services)
	b.text(2, l.Tariff)
	b.text(3, l.Network)
	b.text(4, l.Measure)
	b.integerUnlessZero(5, l.Granted)
	b.integerUnlessZero(6, l.Used)
	b.text(7, l.Unit)
	b.integerUnlessZero(8, l.Charged)
	b.integerUnlessZero(9, l.Overrun)
	b.text(10, l.Buckets)
	b.end()
}

// own writes a GyroRecord.
func (a *asn1Writer) own(r *Row, lines int) {
	b := &a.ber
	b.begin(privateClass, 1)
	b.begin(contextClass, 0)
	a.charges(r, lines)
	b.end()
	b.text(1, r.MSISDN)
	b.text(2, r.IMSI)
	b.text(3, r.Service)
	b.text(4, r.Session)
	b.text(5, r.OriginHost)
	b.time(6, r.StartedAt, a.head.zone)
	b.time(7, r.EndedAt, a.head.zone)
	b.text(8, r.Direction)
	b.text(9, r.Calling)
	b.text(10, r.Called)
	b.text(11, r.Recipients)
	b.integerUnlessZero(12, r.Messages)
	b.text(13, r.Network)
	b.text(14, r.ServingNode)
	b.text(15, r.APN)
	b.text(16, r.ICID)
	b.text(17, r.Movement)
	b.text(18, r.Account)
	b.text(19, r.Reason)
	b.text(20, r.Unit)
	b.integerUnlessZero(21, r.Units)
	b.end()
}
