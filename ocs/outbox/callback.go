package outbox

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Callbacks posts events to the addresses of those who subscribed. It is safe for concurrent use.
//
// A post is signed as Standard Webhooks has it: webhook-id is the id of the event, webhook-timestamp the second of this try,
// and webhook-signature "v1," and the base64 of the HMAC-SHA-256 of "id.timestamp.body". Who receives it compares signatures,
// refuses old timestamps, and drops an id that was there before.
type Callbacks struct {
	secret []byte
	clock  func() time.Time
	allow  []netip.Prefix
	client *http.Client
}

// minSecret is how short a secret may be that signs, in octets.
const minSecret = 24

// NewCallbacks returns a transport that signs with secret what has no secret of its own. Addresses on this machine, in private
// networks and other special ones are refused: a subscription must not make the server talk to its neighbours. Those in allow
// are not refused.
func NewCallbacks(secret []byte, clock func() time.Time, allow ...netip.Prefix) (*Callbacks, error) {
	if len(secret) < minSecret {
		return nil, fmt.Errorf("callbacks: a secret of %d octets is too short to sign with, %d are needed", len(secret), minSecret)
	}
	if clock == nil {
		clock = time.Now
	}
	c := &Callbacks{secret: slices.Clone(secret), clock: clock, allow: allow}
	dialer := &net.Dialer{Control: c.control}
	c.client = newClient(dialer.DialContext)
	return c, nil
}

// CheckAddress tells what is wrong with the address of a subscription, as far as that can be seen without looking its name up.
// An error does not hold the address.
func (c *Callbacks) CheckAddress(address string) error {
	_, err := c.parse(address)
	return err
}

func (c *Callbacks) parse(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.Fragment != "" ||
		strings.ContainsAny(u.Hostname(), "% ") {
		return nil, badAddress
	}
	if ip, err := netip.ParseAddr(u.Hostname()); err == nil && !c.allowed(ip) {
		return nil, inside
	}
	return u, nil
}

// Send posts an event.
func (c *Callbacks) Send(ctx context.Context, m Message) error {
	u, err := c.parse(m.To)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), strings.NewReader(m.Body))
	if err != nil {
		return badAddress
	}
	secret := c.secret
	if m.Secret != "" {
		secret = []byte(m.Secret)
	}
	at := strconv.FormatInt(c.clock().Unix(), 10)
	request.Header.Set("Content-Type", "application/json;charset=utf-8")
	request.Header.Set("User-Agent", "gyro")
	request.Header.Set("Webhook-Id", m.ID)
	request.Header.Set("Webhook-Timestamp", at)
	request.Header.Set("Webhook-Signature", "v1,"+sign(secret, m.ID, at, m.Body))
	return exchange(c.client, request)
}

func sign(secret []byte, id, at, body string) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(id + "." + at + "." + body))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// control looks at the address that a name came to, right before it is connected to: a name may mean another one by then than
// when it was checked.
func (c *Callbacks) control(_, address string, _ syscall.RawConn) error {
	target, err := netip.ParseAddrPort(address)
	if err != nil {
		return badAddress
	}
	if !c.allowed(target.Addr()) {
		return inside
	}
	return nil
}

func (c *Callbacks) allowed(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	contains := func(p netip.Prefix) bool { return p.Contains(ip) }
	return slices.ContainsFunc(c.allow, contains) || ip.IsGlobalUnicast() && !ip.IsPrivate() && !slices.ContainsFunc(special, contains)
}

// special are networks that are no part of the public Internet and that net/netip does not know as such (RFC 6890): shared and
// benchmark networks, addresses of protocols, and those that carry an IPv4 address of any kind inside.
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"),
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("64:ff9b::/96"),
	netip.MustParsePrefix("64:ff9b:1::/48"),
	netip.MustParsePrefix("2002::/16"),
	netip.MustParsePrefix("2001::/23"),
}
