package api

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/rating"
)

// A Session is one call, message or data session.
type Session struct {
	SessionID       string         `json:"session_id"`
	SubSession      string         `json:"sub_session" doc:"CC-Sub-Session-Id; usually empty"`
	MSISDN          string         `json:"msisdn"`
	State           string         `json:"state" enum:"open,ended,expired,refused"`
	Cause           string         `json:"cause" doc:"why it ended; empty while it is open"`
	Service         string         `json:"service" example:"32260@3gpp.org"`
	OriginHost      string         `json:"origin_host"`
	OriginRealm     string         `json:"origin_realm"`
	Direction       string         `json:"direction"`
	Calling         string         `json:"calling"`
	Called          string         `json:"called"`
	StartedAt       time.Time      `json:"started_at"`
	ReportedAt      *time.Time     `json:"reported_at" doc:"of the last report of usage"`
	EndedAt         *time.Time     `json:"ended_at"`
	DueAt           time.Time      `json:"due_at" doc:"when supervision ends it if nothing more is heard; of one that ended: when it is forgotten"`
	UsedSeconds     rating.Units   `json:"used_seconds"`
	ChargedSeconds  rating.Units   `json:"charged_seconds" doc:"taken from buckets of seconds"`
	ReservedSeconds rating.Units   `json:"reserved_seconds" doc:"held in buckets of seconds for what is granted"`
	Quotas          []SessionQuota `json:"quotas" nullable:"false"`
}

// A SessionQuota is what one rating group of a session used and may use.
type SessionQuota struct {
	RatingGroup *uint32      `json:"rating_group"`
	ServiceIDs  []uint32     `json:"service_ids" nullable:"false"`
	Tariff      string       `json:"tariff"`
	Plan        string       `json:"plan"`
	Catalog     string       `json:"catalog" doc:"version of the catalogue"`
	Measure     string       `json:"measure" doc:"what used and granted count"`
	Used        rating.Units `json:"used"`
	Granted     rating.Units `json:"granted" doc:"and not yet reported on"`
	Final       bool         `json:"final" doc:"granted is the last there is"`
	Unit        string       `json:"unit" doc:"what charged, overrun, taken and held count"`
	Charged     rating.Units `json:"charged"`
	Overrun     rating.Units `json:"overrun" doc:"used, and no bucket could pay"`
	Taken       []Hold       `json:"taken" nullable:"false"`
	Held        []Hold       `json:"held" nullable:"false"`
}

// A Hold is a part of a bucket.
type Hold struct {
	Bucket string       `json:"bucket"`
	Units  rating.Units `json:"units"`
}

// A SessionHistory is a session with every exchange that is remembered of it.
type SessionHistory struct {
	Session
	Exchanges      []Exchange `json:"exchanges" nullable:"false" doc:"oldest first; of a long session the last ones"`
	MissingNumbers []uint32   `json:"missing_numbers" nullable:"false" doc:"request numbers that never came, the first 20"`
	CDRs           int        `json:"cdrs" doc:"written so far"`
	Summonses      []Summons  `json:"summonses" nullable:"false" doc:"requests to its client that are under way"`
}

// An Exchange is a request and what it was answered.
type Exchange struct {
	Type     string            `json:"type" enum:"initial,update,termination,event"`
	Number   uint32            `json:"number"`
	At       time.Time         `json:"at"`
	Verdict  string            `json:"verdict" example:"granted"`
	Services []ExchangeService `json:"services" nullable:"false"`
}

// An ExchangeService is the answer to one rating group.
type ExchangeService struct {
	RatingGroup     *uint32      `json:"rating_group"`
	ServiceIDs      []uint32     `json:"service_ids" nullable:"false"`
	Verdict         string       `json:"verdict"`
	Granted         rating.Units `json:"granted"`
	Measure         string       `json:"measure"`
	ValiditySeconds int64        `json:"validity_seconds"`
	Final           bool         `json:"final"`
}

func (s *server) handleSessions(care huma.API) {
	huma.Register(care, operation(huma.Operation{
		OperationID: "list-sessions", Method: http.MethodGet, Path: "/care/v1/sessions",
		Summary: "List sessions, page by page", Errors: []int{http.StatusNotFound},
	}), s.listSessions)
	// A Session-Id is opaque: it may be ".." or hold slashes, which no path survives. So it is a parameter.
	huma.Register(care, operation(huma.Operation{
		OperationID: "get-session", Method: http.MethodGet, Path: "/care/v1/session",
		Summary: "Show a session with every exchange that is remembered", Errors: []int{http.StatusNotFound},
	}), s.getSession)
}

// SessionPage is a part of all sessions.
type SessionPage struct {
	Sessions []Session `json:"sessions" nullable:"false"`
	Next     string    `json:"next,omitempty" doc:"after of the next page; absent on the last"`
}

func (s *server) listSessions(ctx context.Context, in *struct {
	OwnerInput
	State string `query:"state" enum:"open,ended,expired,refused" doc:"absent: any"`
	PageInput
}) (*struct{ Body SessionPage }, error) {
	owner, err := s.owner(ctx, in.OwnerInput)
	if err != nil {
		return nil, err
	}
	after, err := parseSessionCursor(in.After)
	if err != nil {
		return nil, err
	}
	sessions, err := s.Store.Sessions(ctx, postgres.SessionFilter{
		Subscriber: owner, State: ocs.SessionState(in.State), After: after, Limit: in.Limit,
	})
	if err != nil {
		return nil, s.listFault(ctx, "sessions", in.After, err)
	}
	page, numbers := SessionPage{Sessions: make([]Session, 0, len(sessions))}, s.msisdns()
	for _, session := range sessions {
		number, err := numbers.of(ctx, session.Subscriber)
		if err != nil {
			return nil, err
		}
		page.Sessions = append(page.Sessions, tellSession(session, number))
	}
	if len(sessions) == in.Limit {
		page.Next = nextSession(sessions[len(sessions)-1])
	}
	return &struct{ Body SessionPage }{page}, nil
}

type sessionInput struct {
	SessionID  string `query:"session_id" required:"true" maxLength:"1024"`
	SubSession string `query:"sub_session" maxLength:"20"`
}

func (in sessionInput) key() (ocs.SessionKey, error) {
	key := ocs.SessionKey{ID: in.SessionID, Sub: in.SubSession}
	if err := checkSessionKey(key); err != nil {
		return ocs.SessionKey{}, invalid("query.session_id", err)
	}
	return key, nil
}

// checkSessionKey returns why no session can have this key.
func checkSessionKey(key ocs.SessionKey) error {
	switch {
	case key.ID == "" || len(key.ID) > ocs.MaxSessionID:
		return errors.New("session_id: it must have 1 to 1024 octets")
	case !utf8.ValidString(key.ID+key.Sub) || strings.Contains(key.ID+key.Sub, "\x00"):
		return errors.New("session_id: it must be UTF-8 text")
	}
	return nil
}

func (s *server) getSession(ctx context.Context, in *sessionInput) (*struct{ Body SessionHistory }, error) {
	key, err := in.key()
	if err != nil {
		return nil, err
	}
	session, err := s.loadSession(ctx, key)
	if err != nil {
		return nil, err
	}
	number, err := s.msisdns().of(ctx, session.Subscriber)
	if err != nil {
		return nil, err
	}
	told := SessionHistory{Session: tellSession(session, number), Exchanges: []Exchange{}, MissingNumbers: []uint32{}, CDRs: session.Records, Summonses: []Summons{}}
	for _, remembered := range session.Memory.Answers {
		told.Exchanges = append(told.Exchanges, tellExchange(remembered))
	}
	const missing = 20
	told.MissingNumbers = append(told.MissingNumbers, session.Memory.Missing(missing)...)
	summonses, err := s.Store.SummonsesOf(ctx, postgres.SessionRef{Subscriber: session.Subscriber, Key: session.Key})
	if err != nil {
		return nil, s.storeFault(ctx, "load what its client is asked", err)
	}
	for _, summons := range summonses {
		told.Summonses = append(told.Summonses, tellSummons(summons))
	}
	return &struct{ Body SessionHistory }{told}, nil
}

func tellSession(session ocs.Session, msisdn string) Session {
	told := Session{
		SessionID: session.Key.ID, SubSession: session.Key.Sub, MSISDN: msisdn, State: string(session.State), Cause: string(session.Cause),
		Service: session.Service, OriginHost: session.Origin.Host, OriginRealm: session.Origin.Realm,
		Direction: directionWord(session.Conditions.Direction), Calling: session.Conditions.Calling, Called: session.Conditions.Called,
		StartedAt: session.StartedAt.UTC(), ReportedAt: optionalTime(session.ReportedAt), EndedAt: optionalTime(session.EndedAt),
		DueAt: session.DueAt.UTC(), Quotas: make([]SessionQuota, 0, len(session.Quotas)),
	}
	for _, q := range session.Quotas {
		told.Quotas = append(told.Quotas, tellQuota(q))
		told.addSeconds(q.Tariff.Measures, q.Used, q.Unit(), q.Charged)
		for _, hold := range q.Held {
			if q.Unit() == rating.Seconds && len(q.Tariff.Then) == 0 { // what other payers hold is not told apart
				told.ReservedSeconds = rating.Add(told.ReservedSeconds, hold.Units)
			}
		}
	}
	for _, line := range session.Segments {
		told.addSeconds(line.Measure, line.Used, line.Unit, line.Charged)
	}
	return told
}

func (t *Session) addSeconds(measure rating.Unit, used rating.Units, unit rating.Unit, charged rating.Units) {
	if measure == rating.Seconds {
		t.UsedSeconds = rating.Add(t.UsedSeconds, used)
	}
	if unit == rating.Seconds {
		t.ChargedSeconds = rating.Add(t.ChargedSeconds, charged)
	}
}

func tellQuota(q ocs.Quota) SessionQuota {
	return SessionQuota{
		RatingGroup: q.RatingGroup, ServiceIDs: notNull(q.ServiceIDs), Tariff: q.Tariff.Name, Plan: q.Plan, Catalog: q.Catalog,
		Measure: string(q.Tariff.Measures), Used: q.Used, Granted: q.Granted, Final: q.Final,
		Unit: string(q.Unit()), Charged: q.Charged, Overrun: q.Overrun, Taken: tellHolds(q.Taken), Held: tellHolds(q.Held),
	}
}

func tellHolds(holds []ocs.Hold) []Hold {
	told := make([]Hold, 0, len(holds))
	for _, h := range holds {
		told = append(told, Hold{Bucket: string(h.Bucket), Units: h.Units})
	}
	return told
}

func tellExchange(r ocs.Remembered) Exchange {
	told := Exchange{
		Type: typeWord(r.Type), Number: r.Number, At: r.At.UTC(), Verdict: verdictWord(r.Answer.Verdict),
		Services: make([]ExchangeService, 0, len(r.Answer.Services)),
	}
	for _, service := range r.Answer.Services {
		told.Services = append(told.Services, ExchangeService{
			RatingGroup: service.RatingGroup, ServiceIDs: notNull(service.ServiceIDs), Verdict: verdictWord(service.Verdict),
			Granted: service.Granted, Measure: string(service.Measure), ValiditySeconds: int64(service.Validity / time.Second), Final: service.Final,
		})
	}
	return told
}

// notNull makes an empty list of none, which JSON clients tell apart.
func notNull[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
