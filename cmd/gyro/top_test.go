package main

import (
	"maps"
	"strings"
	"testing"
	"time"
)

// What top tells is the difference of two readings of the metrics, as the exporter writes them.
func TestTopTellsTheDifference(t *testing.T) {
	t.Parallel()
	read := func(text string) map[string]float64 {
		series, err := readMetrics(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return series
	}
	before := read(`# HELP gyro_diameter_requests_total requests
# TYPE gyro_diameter_requests_total counter
gyro_diameter_requests_total{otel_scope_name="x",result="2001",type="initial"} 10
gyro_diameter_request_duration_seconds_bucket{result="2001",type="initial",le="0.001"} 10
gyro_diameter_request_duration_seconds_bucket{result="2001",type="initial",le="0.01"} 10
gyro_diameter_request_duration_seconds_bucket{result="2001",type="initial",le="+Inf"} 10
`)
	after := read(`gyro_diameter_requests_total{otel_scope_name="x",result="2001",type="initial"} 110
gyro_diameter_requests_total{otel_scope_name="x",result="4012",type="update"} 20
gyro_diameter_request_duration_seconds_bucket{result="2001",type="initial",le="0.001"} 90
gyro_diameter_request_duration_seconds_bucket{result="2001",type="initial",le="0.01"} 110
gyro_diameter_request_duration_seconds_bucket{result="2001",type="initial",le="+Inf"} 110
gyro_diameter_request_duration_seconds_bucket{result="4012",type="update",le="+Inf"} 0
nonsense
`)
	got := pictureOf(before, after, 10*time.Second)
	if want := map[string]float64{"initial 2001": 10, "update 4012": 2}; !maps.Equal(got.Requests, want) {
		t.Errorf("requests %v, want %v", got.Requests, want)
	}
	if got.Median != 0.001 || got.Slow != 0.01 {
		t.Errorf("median %v, p99 %v; want 0.001 and 0.01", got.Median, got.Slow)
	}
	if got := pictureOf(after, after, time.Second); len(got.Requests) != 0 || got.Median != 0 || got.Slow != 0 {
		t.Errorf("of nothing %+v", got)
	}
}
