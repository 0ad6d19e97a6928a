package outbox

import (
	"context"
	"log/slog"
)

// LogTexts writes texts into a log instead of sending them, for trials and demonstrations. It tells the end of the number; the
// words only at debug level, or at every one where Words says so.
type LogTexts struct {
	Logger *slog.Logger
	Words  bool // also at info: never where the log leaves the machine
}

// Send writes one line.
func (l LogTexts) Send(ctx context.Context, m Message) error {
	attributes := []slog.Attr{slog.String("id", m.ID), slog.String("to", end(m.To)), slog.Int("characters", len([]rune(m.Body)))}
	if l.Words || l.Logger.Enabled(ctx, slog.LevelDebug) {
		attributes = append(attributes, slog.String("text", m.Body))
	}
	l.Logger.LogAttrs(ctx, slog.LevelInfo, "text", attributes...)
	return nil
}

// end keeps the last three digits: enough to tell two apart, too few to know one.
func end(number string) string { return "…" + number[max(0, len(number)-3):] }
