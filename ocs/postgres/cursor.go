package postgres

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
)

// A Cursor is the place of a record or of a rated event in the list of all. It is text that may stand in a URL, and it
// stays good whatever is added meanwhile. Nothing in it is secret, and nothing in it is trusted.
type Cursor string

func makeCursor(place any) Cursor {
	return Cursor(base64.RawURLEncoding.EncodeToString(encode(place)))
}

// encode writes a value of ours, which always can be written.
func encode(value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		panic(fmt.Sprintf("postgres: value %T: %v", value, err))
	}
	return text
}

func readCursor[Place any](c Cursor) (place Place, err error) {
	text, err := base64.RawURLEncoding.DecodeString(string(c))
	if err == nil {
		err = json.Unmarshal(text, &place)
	}
	if err != nil {
		return place, fmt.Errorf("%w: %w", ErrBadCursor, err)
	}
	return place, nil
}

// clauses collect a WHERE of conditions that are there or not. Values are always bound.
type clauses struct {
	text      []string
	arguments []any
}

// add takes a condition with a question mark for every value.
func (c *clauses) add(text string, values ...any) {
	for _, value := range values {
		c.arguments = append(c.arguments, value)
		text = strings.Replace(text, "?", "$"+strconv.Itoa(len(c.arguments)), 1)
	}
	c.text = append(c.text, text)
}

func (c *clauses) subscriber(id ocs.SubscriberID) {
	if id != "" {
		c.add("part = ? AND subscriber_id = ?", id.Slot(), string(id))
	}
}

func (c *clauses) period(column string, from, to time.Time) {
	if !from.IsZero() {
		c.add(column+" >= ?", stored(from))
	}
	if !to.IsZero() {
		c.add(column+" < ?", stored(to))
	}
}

// finish puts the conditions between the head and the end of a statement.
func (c *clauses) finish(head, order string, limit int) (statement string, arguments []any) {
	where := "true"
	if len(c.text) > 0 {
		where = strings.Join(c.text, " AND ")
	}
	c.arguments = append(c.arguments, limit)
	return head + where + " ORDER BY " + order + " LIMIT $" + strconv.Itoa(len(c.arguments)), c.arguments
}
