package cluster

import (
	"bufio"
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// settingsFile lies in the data directory and is included by postgresql.conf.
const settingsFile = "gyro.conf"

type setting struct{ name, value string }

// safety are the settings that nothing can override, being arguments of the program. An answer is given when COMMIT
// returned, so COMMIT must mean that it is on the disk.
func (c *Cluster) safety() []setting {
	durable := "on"
	if c.options.Scratch {
		durable = "off"
	}
	return []setting{
		{"fsync", durable},
		{"full_page_writes", durable},
		{"synchronous_commit", "on"},
		{"listen_addresses", ""},
		{"port", strconv.Itoa(port)},
		{"unix_socket_directories", c.socket},
		{"unix_socket_permissions", "0700"},
		{"logging_collector", "off"}, // its log is our file
		{"log_destination", "stderr"},
	}
}

// tuning are the settings for this workload on this machine: many short transactions, few connections, rows that are
// updated all the time.
func tuning(memory, disk int64) map[string]string {
	const mib = 1 << 20
	buffers := min(max(memory/8/mib, 64), 1024)
	wal := min(max(disk/20/mib, 256), 4096)
	return map[string]string{
		"shared_buffers":                  fmt.Sprintf("%dMB", buffers),
		"effective_cache_size":            fmt.Sprintf("%dMB", max(memory/2/mib, 128)),
		"maintenance_work_mem":            "64MB",
		"max_connections":                 "100",
		"max_wal_size":                    fmt.Sprintf("%dMB", wal),
		"min_wal_size":                    fmt.Sprintf("%dMB", max(wal/8, 80)),
		"checkpoint_timeout":              "15min",
		"checkpoint_completion_target":    "0.9",
		"random_page_cost":                "1.1",
		"jit":                             "off",
		"max_parallel_workers_per_gather": "0", // no statement here is worth a second process

		"autovacuum_naptime":              "10s", // hot tables turn over in seconds, see S14 and S15 of spec/store
		"autovacuum_vacuum_cost_limit":    "2000",
		"autovacuum_vacuum_scale_factor":  "0.05",
		"autovacuum_analyze_scale_factor": "0.05",

		"timezone":                "UTC",
		"log_timezone":            "UTC",
		"log_line_prefix":         "%m [%p] ",
		"log_checkpoints":         "off",
		"log_error_verbosity":     "terse", // no DETAIL: it quotes keys, and keys are MSISDNs
		"log_min_error_statement": "panic",
		"deadlock_timeout":        "200ms",
	}
}

func (c *Cluster) writeSettings() error {
	settings := tuning(machineMemory(), freeDisk(c.dir))
	maps.Copy(settings, c.options.Settings)
	var text bytes.Buffer
	text.WriteString("# Written by gyro at every start. To change a setting for good: ALTER SYSTEM SET name = value.\n")
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		fmt.Fprintf(&text, "%s = '%s'\n", name, strings.ReplaceAll(settings[name], "'", "''"))
	}
	file := filepath.Join(c.data(), settingsFile)
	if err := os.WriteFile(file, text.Bytes(), 0o600); err != nil {
		return err
	}
	return c.account.give(file)
}

// assumedMemory is taken where the machine does not tell.
const assumedMemory = 1 << 30

// machineMemory is the memory of the machine or of the container, in octets.
func machineMemory() int64 {
	memory := int64(assumedMemory)
	if content, err := os.ReadFile("/proc/meminfo"); err == nil {
		if kib := meminfoTotal(content); kib > 0 {
			memory = kib << 10
		}
	}
	if content, err := os.ReadFile("/sys/fs/cgroup/memory.max"); err == nil {
		if limit, err := strconv.ParseInt(strings.TrimSpace(string(content)), 10, 64); err == nil {
			memory = min(memory, limit)
		}
	}
	return memory
}

func meminfoTotal(content []byte) (kib int64) {
	lines := bufio.NewScanner(bytes.NewReader(content))
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) >= 2 && fields[0] == "MemTotal:" {
			kib, _ = strconv.ParseInt(fields[1], 10, 64)
		}
	}
	return kib
}

// freeDisk is what is free where the data lies, in octets.
func freeDisk(dir string) int64 {
	var stat syscall.Statfs_t
	if err := syscall.Statfs(dir, &stat); err != nil {
		return 0
	}
	return int64(stat.Bavail) * int64(stat.Bsize) //nolint:gosec,unconvert // G115: sizes; their types differ between systems
}
