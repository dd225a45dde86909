package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
)

func goroutines() int { return runtime.NumGoroutine() }

// process measures this process: memory behind a collection, goroutines, open files.
func (x *soakSample) process() error {
	x.Goroutines = float64(goroutines())
	runtime.GC()
	runtime.GC() // what the first one's finalizers let go of
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	x.Heap = float64(m.HeapAlloc)
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return fmt.Errorf("read the process's memory: %w", err)
	}
	x.RSS, err = residentBytes(string(status))
	if err != nil {
		return err
	}
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return fmt.Errorf("list the open files: %w", err)
	}
	x.Files = float64(len(files) - 1) // the listing's own
	return nil
}

// residentBytes finds the resident memory in the text of /proc/self/status.
func residentBytes(status string) (float64, error) {
	for line := range strings.Lines(status) {
		rest, found := strings.CutPrefix(line, "VmRSS:")
		if !found {
			continue
		}
		kib, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 64)
		if err != nil {
			return 0, fmt.Errorf("read the process's resident memory: %w", err)
		}
		return kib * 1024, nil
	}
	return 0, errors.New("the system does not tell the process's resident memory")
}

// sizes measures the stores of a data folder.
func (x *soakSample) sizes(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // it went while it was looked at
		}
		if err != nil {
			return fmt.Errorf("measure the data folder: %w", err)
		}
		if !d.Type().IsRegular() {
			return nil
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("measure the data folder: %w", err)
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return fmt.Errorf("measure the data folder: %w", err)
		}
		*x.store(rel) += float64(info.Size())
		return nil
	})
}

// store is the size that a file of the data folder belongs to.
func (x *soakSample) store(rel string) *float64 {
	top, _, _ := strings.Cut(rel, string(filepath.Separator))
	switch {
	case top == "temporal":
		return &x.Temporal
	case strings.HasPrefix(top, "records.sqlite"):
		return &x.Records
	case strings.HasPrefix(top, "index.sqlite"):
		return &x.Index
	case top == "evidence":
		return &x.Evidence
	case top == "ledger":
		return &x.Ledger
	}
	return &x.Rest
}

// profile writes what the heap and the goroutines hold, where a folder is named.
func (s *soak) profile(moment string) error {
	if s.o.profiles == "" {
		return nil
	}
	err := os.MkdirAll(s.o.profiles, 0o700)
	if err != nil {
		return fmt.Errorf("make the folder for profiles: %w", err)
	}
	for _, name := range []string{"heap", "goroutine"} {
		f, err := os.OpenFile(filepath.Join(s.o.profiles, moment+"."+name), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
		if err != nil {
			return fmt.Errorf("make a profile: %w", err)
		}
		err = errors.Join(pprof.Lookup(name).WriteTo(f, 0), f.Close())
		if err != nil {
			return fmt.Errorf("write a profile: %w", err)
		}
	}
	return nil
}
