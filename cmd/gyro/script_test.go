package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/api/apitest"
)

// The scripts of testdata/script run gyro against a care API of their own, which GYRO_DATA_DIR leads to. They know, in
// addition to what testscript offers:
//
//	exits CODE gyro ARG...                              run it and check the exit code
//	charge initial|update|termination MSISDN SESSION NUMBER USED   a request of a call
//	advance DURATION                                    move the clock of the server
//	reference NAME FILE                                 set a variable to the reference in a file of JSON
//	bucket NAME FILE                                    likewise to the id of the newest bucket
//	key NAME PERSON ROLE                                set a variable to a new key
//	approval NAME FILE                                  set a variable to the id of the approval in a file of JSON
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup:               setUpScript,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "charge": chargeCall, "advance": advance, "reference": setReference, "bucket": setBucket,
			"key": setKey, "approval": setApproval,
		},
	})
}

// scriptServer is the server of one script.
type scriptServer struct {
	*apitest.Server
	tb  testing.TB
	ctx context.Context
}

type serverKey struct{}

func serverOf(ts *testscript.TestScript) scriptServer {
	return ts.Value(serverKey{}).(scriptServer)
}

func setUpScript(env *testscript.Env) error {
	tb, ok := env.T().(testing.TB)
	if !ok {
		return errors.New("testscript does not run under package testing")
	}
	server := apitest.New(tb, nil)
	env.Values[serverKey{}] = scriptServer{server, tb, tb.Context()}
	env.Setenv("LONG", strings.Repeat("é", 60_000))
	env.Setenv("CURSOR", base64.RawURLEncoding.EncodeToString([]byte(`{"o":"01a213a5-6ae3-721e-b706-6d07657de06f","i":"a\u0000","s":""}`)))
	dataDir := filepath.Join(env.WorkDir, "data")
	if err := os.Mkdir(dataDir, 0o700); err != nil {
		return err
	}
	env.Setenv("GYRO_DATA_DIR", dataDir)
	env.Setenv("URL", server.URL)
	env.Setenv("TOKEN", server.Token)
	env.Setenv("TZ", "UTC")
	return writeEndpoint(dataDir, endpoint{URL: server.URL, Token: server.Token, PID: os.Getpid()})
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND ARG...")
	}
	got := 0
	err := ts.Exec(args[1], args[2:]...)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("%v exits %d, want %s", args[1:], got, args[0])
	}
}

func chargeCall(ts *testscript.TestScript, neg bool, args []string) {
	kinds := map[string]ocs.RequestType{"initial": ocs.Initial, "update": ocs.Update, "termination": ocs.Termination}
	if neg || len(args) != 5 || kinds[args[0]] == 0 {
		ts.Fatalf("usage: charge initial|update|termination MSISDN SESSION NUMBER USED")
	}
	number, err := strconv.ParseUint(args[3], 10, 32)
	ts.Check(err)
	used, err := strconv.ParseUint(args[4], 10, 64)
	ts.Check(err)
	server := serverOf(ts)
	ts.Check(server.Charge(server.ctx, args[1], ocs.SessionKey{ID: args[2]}, kinds[args[0]], uint32(number), used))
}

func advance(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: advance DURATION")
	}
	d, err := time.ParseDuration(args[0])
	ts.Check(err)
	serverOf(ts).Advance(d)
}

func setReference(ts *testscript.TestScript, neg bool, args []string) {
	var told struct{ Reference string }
	setFrom(ts, neg, args, &told)
	ts.Setenv(args[0], told.Reference)
}

func setBucket(ts *testscript.TestScript, neg bool, args []string) {
	var told []struct {
		ID      string
		Created time.Time `json:"created_at"`
	}
	setFrom(ts, neg, args, &told)
	newest := told[0]
	for _, b := range told {
		if b.Created.After(newest.Created) {
			newest = b
		}
	}
	ts.Setenv(args[0], newest.ID)
}

func setFrom(ts *testscript.TestScript, neg bool, args []string, into any) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: reference|bucket NAME FILE")
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[1])), into))
}

func setKey(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: key NAME PERSON ROLE")
	}
	server := serverOf(ts)
	ts.Setenv(args[0], server.Key(server.tb, args[1], args[2]))
}

func setApproval(ts *testscript.TestScript, neg bool, args []string) {
	var told struct{ Approval struct{ ID string } }
	setFrom(ts, neg, args, &told)
	ts.Setenv(args[0], told.Approval.ID)
}
