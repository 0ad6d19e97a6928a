package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gyro-ocs/gyro/ocs/api"
)

func bucketTraceCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use: "trace BUCKET", Short: "Show where the minutes of a bucket came from, through whose hands, and when they die",
		Long: `Trace draws the tree of all lots that came from the same grant: who has them, what is left in each, and when it dies.
The bucket that was asked for is marked with an arrow. "gyro bucket list MSISDN" tells the ids of buckets.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := env.client()
			if err != nil {
				return err
			}
			var trace api.Trace
			if err := c.get(cmd.Context(), "/care/v1/buckets/"+args[0]+"/trace", nil, &trace); err != nil {
				return about(args[0], err)
			}
			if env.json {
				return env.printJSON(trace.Buckets)
			}
			return drawTrace(newTable(env.stdout), trace.Buckets)
		},
	}
}

// drawTrace draws lots as a tree. Lots whose parent is not among them are drawn as roots.
func drawTrace(t table, lots []api.TracedBucket) error {
	children, known := map[string][]api.TracedBucket{}, map[string]bool{}
	for _, l := range lots {
		known[l.ID] = true
	}
	var roots []api.TracedBucket
	for _, l := range lots {
		if l.Parent == "" || !known[l.Parent] {
			roots = append(roots, l)
			continue
		}
		children[l.Parent] = append(children[l.Parent], l)
	}
	t.row("LOT", "WHO", "CLASS", "LEFT", "HELD", "DIES")
	var draw func(l api.TracedBucket, stem, branch string)
	draw = func(l api.TracedBucket, stem, branch string) {
		mark := ""
		if l.Asked {
			mark = " <-"
		}
		t.row(stem+branch+l.ID+mark, l.MSISDN, l.Class, quantityOf(l.Balance, l.Unit), quantityOf(l.Reserved, l.Unit), optionalInstant(l.ExpiresAt, "never"))
		below := children[l.ID]
		slices.SortStableFunc(below, func(a, b api.TracedBucket) int { return a.CreatedAt.Compare(b.CreatedAt) })
		stem += strings.NewReplacer("├─ ", "│  ", "└─ ", "   ").Replace(branch)
		for i, child := range below {
			branch := "├─ "
			if i == len(below)-1 {
				branch = "└─ "
			}
			draw(child, stem, branch)
		}
	}
	for _, root := range roots {
		draw(root, "", "")
	}
	return t.flush()
}

// quantityOf writes n of unit as short as a tree needs it.
func quantityOf[N ~int64](n N, unit string) string {
	if unit == "seconds" {
		return fmt.Sprintf("%d:%02d", n/60, n%60)
	}
	return fmt.Sprintf("%d %s", n, unit)
}
