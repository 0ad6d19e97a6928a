package postgres

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"testing"
)

// A migration that was shipped never changes: databases have run it. Change the schema by a new one.
func TestMigrationsArePinned(t *testing.T) {
	t.Parallel()
	pinned := map[string]string{
		"migrations/0001_charging.sql":      "f05eaa26a887b60a1157d8bff3ce538f751f77f10d860c3b3cc65c64a20c3747",
		"migrations/0002_client.sql":        "6213afe91636e7cdd156ae50012d720d61cca8ddb687d6bffc0413b2078554b0",
		"migrations/0003_birth.sql":         "7ef1f960f6fe931771e934046a593177c9eb24eee6a5cf1493701e55f156aec8",
		"migrations/0004_transfer.sql":      "adf831eaaa65aafa8aaa6e9b5ceb3981b036d0d544b6ab75125ba78c93e07689",
		"migrations/0005_ussd.sql":          "3aa3fff908da61838ebd69243be1cb9d7f1d13388fe889dbe3aca5f498a59adc",
		"migrations/0006_action.sql":        "261fcace4ead4ccb5a25300f17e30563eed96e73da23003352d658f6345caf36",
		"migrations/0007_pin_asked.sql":     "e424220a49b8d75df1f923950bc018d9efda4a727b69823d4894474fd3d507c9",
		"migrations/0008_care.sql":          "ad602c7a606be9bcea52c256f0fc29798d7bb420790ed996b3ffaa3f166229c8",
		"migrations/0009_lean_session.sql":  "536a300e65dd01b804c915df9647259afeefcde0afce71ea2cfe06494a86ced6",
		"migrations/0010_summons.sql":       "6e2361c5273e1e741695f593467fe933e111a27dc65cd6966f2b5c5dc9448205",
		"migrations/0011_lean_transfer.sql": "db0caf90718838bee285a27273ea4a80a8fb5974eadf3ea9202c5045d2ebd01b",
		"migrations/0012_names.sql":         "f7f6485028b5e81bbb934f8ef8dc9ac699fa02de88b2492511af827902360329",
		"migrations/0013_catalog.sql":       "0017f1175d10e27720515ffa2d2d9932f6532a891cd738e8b21ab5e4d7dffda3",
		"migrations/0014_contract.sql":      "554797a25e8ba446c0d05c84c7d02d256b42c8c092ce5863d94d1d7631426576",
		"migrations/0015_identity_rest.sql": "2fc636bb1b35bc7f2a491282c5f67dc6d039aa1f254c8fe1dcf4a3aca33b1bc7",
		"migrations/0016_export.sql":        "bd7abddd3a94e37032749426071f9cb16da8735b09f7f9c055bb1713d20b6166",
	}
	files, err := fs.Glob(migrations, "migrations/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		content, err := fs.ReadFile(migrations, file)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(content)
		if got := hex.EncodeToString(sum[:]); pinned[file] != got {
			t.Errorf("%s has SHA-256 %s, pinned is %q", file, got, pinned[file])
		}
	}
	if len(files) != len(pinned) {
		t.Errorf("%d migrations, %d pinned", len(files), len(pinned))
	}
}
