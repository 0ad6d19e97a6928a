package diameter

import (
	"errors"
	"io"
	"net"
	"slices"

	"github.com/fiorix/go-diameter/v4/diam"
	"github.com/fiorix/go-diameter/v4/diam/avp"
)

// A guard stands between a transport and the library. Its Read hands out whole frames only, one after the other, and
// only those that were found right; it answers the others itself. What it refuses never reaches the library, which a
// header of twenty octets can bring to allocate 4 GiB and a nested group to overflow the stack.
type guard struct {
	transport io.Reader
	rules     *guardRules
	keeper    keeper
	buffer    []byte // read from the transport and not yet handed out, from 0
	skip      int    // octets at the start of buffer that were handed out or refused
	out       []byte // the part of current that the library has not read yet
	current   frame  // what was handed out last; valid until the next frame is read
	walk      walk
}

// guardRules is what guards of a server share.
type guardRules struct {
	limit  int // greatest frame in octets
	depth  int // deepest nesting of groups: 1 is a group at command level
	shapes shapes
}

// A keeper owns the connection that a guard reads from.
type keeper interface {
	// opened reports whether the capabilities were exchanged. Before, nothing but a CER is taken.
	opened() bool
	// heard is told of every whole frame: the peer lives.
	heard()
	// refuse answers the request f.
	refuse(f frame, r *refusal)
	// dropped is told why a frame is passed over in silence.
	dropped(reason dropReason)
}

// What ends the reading of a connection, besides its own end.
var (
	errHangUp    = errors.New("a message after which the next one cannot be found")
	errBeforeCER = errors.New("the first message is not a CER")
)

// firstBuffer holds the requests of a busy peer that one read brings. It grows to the limit when a frame needs it.
const firstBuffer = 16 << 10

// Read implements io.Reader. It returns octets of at most one frame, so that while a handler runs, current is the frame
// of the message that it handles.
func (g *guard) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if len(g.out) == 0 {
		f, err := g.next()
		if err != nil {
			return 0, err
		}
		g.current, g.out = f, f
	}
	n := copy(p, g.out)
	g.out = g.out[n:]
	return n, nil
}

// next returns the next frame that is right, and deals with the ones before it.
func (g *guard) next() (frame, error) {
	for {
		header, err := g.peek(headerLength)
		if err != nil {
			return nil, err
		}
		if !g.keeper.opened() && !isCER(header) {
			reason := dropBeforeCER
			if header.version() != 1 {
				reason = dropNotDiameter
			}
			g.keeper.dropped(reason)
			return nil, errBeforeCER
		}
		if r := g.rules.checkLength(header); r != nil {
			return nil, g.hangUp(header, r)
		}
		f, err := g.peek(header.length())
		if err != nil {
			return nil, err
		}
		g.skip += len(f)
		g.keeper.heard()
		if g.passes(f) {
			return f, nil
		}
		if !g.keeper.opened() {
			return nil, errHangUp // the CER was refused
		}
	}
}

// passes reports whether f is for the library.
func (g *guard) passes(f frame) bool {
	if !f.isRequest() {
		reason, ok := g.checkAnswer(f)
		if !ok {
			g.keeper.dropped(reason)
		}
		return ok
	}
	r := g.checkRequest(f)
	if r != nil {
		g.keeper.refuse(f, r)
	}
	return r == nil
}

// hangUp refuses a request after whose header the next frame cannot be found. An answer is never answered.
func (g *guard) hangUp(header frame, r *refusal) error {
	if header.isRequest() {
		g.keeper.refuse(header, r)
	} else {
		g.keeper.dropped(dropLength)
	}
	return errHangUp
}

// peek returns the next n octets, which stay where they are until skip moves past them and peek is called again.
func (g *guard) peek(n int) (frame, error) {
	for len(g.buffer)-g.skip < n {
		if g.skip > 0 {
			g.buffer = slices.Delete(g.buffer, 0, g.skip)
			g.skip = 0
		}
		g.buffer = slices.Grow(g.buffer, max(n-len(g.buffer), firstBuffer-len(g.buffer), 0))
		read, err := g.transport.Read(g.buffer[len(g.buffer):cap(g.buffer)])
		g.buffer = g.buffer[:len(g.buffer)+read]
		if err != nil && len(g.buffer) < n {
			if errors.Is(err, net.ErrClosed) {
				err = io.EOF
			}
			return nil, err
		}
	}
	return g.buffer[g.skip : g.skip+n : g.skip+n], nil
}

func isCER(f frame) bool { return f.isRequest() && f.command() == diam.CapabilitiesExchange }

// checkLength finds out whether the end of a message can be told from its header: checks 1 and 2 of spec/gy 1.5. Of a
// wrong version and a wrong length together the version is told.
func (g *guardRules) checkLength(header frame) *refusal {
	length := header.length()
	if length >= headerLength && length%4 == 0 && length <= g.limit {
		return nil
	}
	if r := checkVersion(header); r != nil {
		r.close = true
		return r
	}
	return &refusal{code: codeInvalidMessageLength, text: "Message Length is wrong or above the limit", close: true}
}

func checkVersion(header frame) *refusal {
	if header.version() == 1 {
		return nil
	}
	return &refusal{code: codeUnsupportedVersion, text: "the version is not 1"}
}

// checkRequest makes checks 1 and 3 to 7 of spec/gy 1.5 on a request. The first that fails is the one reported, also
// where an AVP further on fails an earlier check.
func (g *guard) checkRequest(f frame) *refusal {
	if r := checkVersion(f); r != nil {
		return r
	}
	application := f.application()
	switch {
	case f.isError():
		return &refusal{code: codeInvalidHeaderBits, text: "the E bit is set in a request"}
	case application != 0 && application != creditControl:
		return &refusal{code: codeApplicationUnknown, text: "the application is not supported"}
	case !slices.Contains(served, commandKey{application, f.command()}):
		return &refusal{code: codeCommandUnsupported, text: "the command is not supported in this application"}
	}
	w := g.walkOver(f)
	if !w.level(f[headerLength:], 0) {
		return &refusal{code: codeInvalidAVPLength, failed: w.failed, text: "an AVP Length is wrong, or groups are nested too deep"}
	}
	if w.vendorless != nil {
		return &refusal{code: codeInvalidAVPBits, failed: w.vendorless, text: "the V bit is set and Vendor-Id is 0"}
	}
	return nil
}

// checkAnswer finds out whether an answer can be decoded. Only the answers to what this node asks for are taken.
func (g *guard) checkAnswer(f frame) (dropReason, bool) {
	switch key := (commandKey{f.application(), f.command()}); {
	case f.version() != 1:
		return dropVersion, false
	case !slices.Contains(asked, key):
		return dropUnexpectedAnswer, false
	}
	w := g.walkOver(f)
	if !w.level(f[headerLength:], 0) || w.vendorless != nil {
		return dropMalformedAnswer, false
	}
	return "", true
}

// walkOver returns a walk for the AVPs of f.
func (g *guard) walkOver(f frame) *walk {
	g.walk = walk{shapes: g.rules.shapes[f.application()], depth: g.rules.depth, path: g.walk.path[:0]}
	return &g.walk
}

// A walk looks at every AVP of a message whose groups the library would open.
type walk struct {
	shapes     map[uint64]shape
	depth      int      // greatest
	path       []rawAVP // the groups around the AVP at hand
	failed     []byte   // for Failed-AVP, when level returns false
	vendorless []byte   // the first AVP with the V bit and Vendor-Id 0, in its groups; nil: none
}

// level looks at the AVPs in b, which lie in as many groups as depth says, and reports whether all lengths are right.
func (w *walk) level(b []byte, depth int) bool {
	for len(b) > 0 {
		a, rest, ok := cutAVP(b)
		sh := w.shapes[avpKey(a.vendor, a.code)]
		if !ok || sh.size != 0 && sh.size != len(a.data) || sh.group && depth >= w.depth {
			w.failed = w.example(a, sh)
			return false
		}
		if a.flags&avp.Vbit != 0 && a.vendor == 0 && w.vendorless == nil {
			w.vendorless = w.inGroups(slices.Clone(a.whole))
		}
		if sh.group {
			w.path = append(w.path, a)
			if !w.level(a.data, depth+1) {
				return false
			}
			w.path = w.path[:depth]
		}
		b = rest
	}
	return true
}

// example returns a with a value of zeros that has the right size, in the groups that a was found in (RFC 6733 §7.5).
func (w *walk) example(a rawAVP, sh shape) []byte {
	b, start := beginAVP(nil, a.code, a.vendor, a.flags&^avp.Vbit)
	if a.flags&avp.Vbit != 0 && a.vendor == 0 {
		b = append(b, 0, 0, 0, 0)
		b[4] |= avp.Vbit
	}
	return w.inGroups(endAVP(append(b, make([]byte, sh.size)...), start))
}

// inGroups puts whole into the groups of the path, each with nothing else in it.
func (w *walk) inGroups(whole []byte) []byte {
	for _, group := range slices.Backward(w.path) {
		whole = appendGroup(nil, group.code, group.vendor, group.flags&^avp.Vbit, whole)
	}
	return whole
}
