package pin

import (
	"fmt"
	"log/slog"
)

// Secret is a PIN as typed. It prints as [Hidden], whatever prints it.
type Secret string

// Hidden stands for a secret in logs.
const Hidden = "[secret]"

// Format writes [Hidden] for every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(Hidden)) }

// MarshalText returns [Hidden].
func (Secret) MarshalText() ([]byte, error) { return []byte(Hidden), nil }

// LogValue returns [Hidden].
func (Secret) LogValue() slog.Value { return slog.StringValue(Hidden) }
