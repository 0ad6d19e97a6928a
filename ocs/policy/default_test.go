package policy

import (
	"bytes"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/gyro-ocs/gyro/transfer"
)

// The text that is shipped is the policy of a server that was given none, but for the name of the version.
func TestShippedPolicyIsTheDefault(t *testing.T) {
	t.Parallel()
	p := Default()
	if name, digest, _ := strings.Cut(p.Version(), "+"); name != "default" || len(digest) != digestLength {
		t.Errorf("version %q", p.Version())
	}
	got, want := *p.Transfer(), *transfer.Default()
	got.Version = want.Version
	gotFields, wantFields := reflect.ValueOf(got), reflect.ValueOf(want)
	for i := range wantFields.NumField() {
		if a, b := gotFields.Field(i).Interface(), wantFields.Field(i).Interface(); !reflect.DeepEqual(a, b) {
			t.Errorf("%s: policy.yaml has\n%+v\ntransfer.Default has\n%+v", wantFields.Type().Field(i).Name, a, b)
		}
	}
}

func TestDeployHasTheShippedPolicy(t *testing.T) {
	t.Parallel()
	deployed, err := os.ReadFile("../../deploy/policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(deployed, shipped) {
		t.Error("deploy/policy.yaml differs from ocs/policy/policy.yaml; copy it there")
	}
}
