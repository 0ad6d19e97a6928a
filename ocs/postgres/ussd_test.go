package postgres_test

import (
	"errors"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/ocs/postgres/postgrestest"
)

// Of two servers that go on with one session at the same time, one stores and the other is told.
func TestUSSDSessionIsStoredOnce(t *testing.T) {
	t.Parallel()
	s := postgrestest.New(t)
	begin := postgres.USSDSession{Gateway: "g", Session: "s", Key: "first", Document: []byte(`{"At": "menu"}`)}
	deadline := now.Add(-time.Minute)
	held, err := s.BeginUSSD(t.Context(), begin, now, deadline)
	if err != nil || held.Key != "first" {
		t.Fatalf("began %+v, %v", held, err)
	}
	begin.Key = "second"
	if held, err = s.BeginUSSD(t.Context(), begin, now, deadline); err != nil || held.Key != "first" {
		t.Fatalf("began again %+v, %v; want the first", held, err)
	}
	held.Document = []byte(`{"At": "pin"}`)
	for i, want := range []bool{true, false} {
		if saved, err := s.SaveUSSD(t.Context(), held, now.Add(time.Second)); err != nil || saved != want {
			t.Errorf("save %d: %v, %v; want %v", i, saved, err, want)
		}
	}
	again, err := s.USSD(t.Context(), "g", "s")
	if err != nil || again.Version != 1 || string(again.Document) != `{"At": "pin"}` {
		t.Errorf("stored %+v %s, %v", again, again.Document, err)
	}
	// Its time is over: the same name is another session, under another key.
	if held, err = s.BeginUSSD(t.Context(), begin, now.Add(time.Hour), now.Add(30*time.Minute)); err != nil || held.Key != "second" || held.Version != 0 {
		t.Errorf("after its time %+v, %v; want the second", held, err)
	}
	begin.Session = "other"
	if _, err = s.BeginUSSD(t.Context(), begin, now.Add(3*time.Hour), now.Add(2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, err = s.USSD(t.Context(), "g", "s"); !errors.Is(err, postgres.ErrNotFound) {
		t.Errorf("got %v, want that it is forgotten", err)
	}
}
