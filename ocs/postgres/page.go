package postgres

import (
	"context"
	"strconv"
	"strings"
)

// page is finish for a list that is read from any place on.
func (c *clauses) page(head, order string, offset, limit int) (statement string, arguments []any) {
	statement, arguments = c.finish(head, order, limit)
	return statement + " OFFSET $" + strconv.Itoa(len(arguments)+1), append(arguments, offset)
}

// count counts the rows of head that fulfil c.
func (s *Store) count(ctx context.Context, head string, c *clauses) (int64, error) {
	where := "true"
	if len(c.text) > 0 {
		where = strings.Join(c.text, " AND ")
	}
	var n []int64
	if err := s.selectInto(ctx, &n, head+where, c.arguments...); err != nil {
		return 0, err
	}
	return n[0], nil
}
