// Command bench measures butai side by side with a floor (the least that the
// same work can cost), a ceiling (an HTTP server that does nothing) and what a
// user would pick instead. It prints a table and writes latest.json.
//
// Everything that is compared runs in one process's lifetime, in rounds: A, B,
// A, B, … Each figure is the median of its rounds, each ratio the median of
// the rounds' ratios, so that what else the machine does falls on all alike.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// bench is one run.
type bench struct {
	short  bool
	binary string // butai's
	tools  string // folder that peers are installed in
	rounds int
	slice  time.Duration // how long each load lasts in a round
	dir    string        // scratch
	report report
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == echoArgument {
		serveEcho()
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	b := &bench{}
	var out, only string
	flag.BoolVar(&b.short, "short", false, "about a minute, without npm's tools")
	flag.StringVar(&b.binary, "butai", "bin/butai", "binary to measure")
	flag.StringVar(&b.tools, "tools", ".tools", "folder that peers are installed in")
	flag.StringVar(&out, "out", "", "file to write; bench/latest.json after a whole run that isn't short")
	flag.StringVar(&only, "part", "", "measure only these parts, with commas between them: start, templates, alone, growth, hostile, gateway, lambda, emulator, neighbours, cold, density, kills or store")
	flag.Parse()
	b.rounds, b.slice = 7, 1500*time.Millisecond
	if b.short {
		b.rounds, b.slice = 3, 300*time.Millisecond
	} else if out == "" && only == "" {
		out = filepath.Join("bench", "latest.json")
	}
	if b.dir, err = os.MkdirTemp("", "butai-bench-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	if b.report.Machine, err = describeMachine(); err != nil {
		return err
	}
	b.report.Date = time.Now().UTC().Format(time.RFC3339)
	for _, part := range []struct {
		name string
		run  func(context.Context) error
	}{
		{"start", b.measureStart},
		{"templates", b.measureTemplates},
		{"alone", b.measureAlone},
		{"growth", b.measureGrowth},
		{"hostile", b.measureHostile},
		{"gateway", b.measureGateway},
		{"lambda", b.measureLambda},
		{"emulator", b.measureEmulator},
		{"neighbours", b.measureNeighbours},
		{"cold", b.measureCold},
		{"density", b.measureDensity},
		{"kills", b.measureKills},
		{"store", b.measureStore},
	} {
		if only != "" && !slices.Contains(strings.Split(only, ","), part.name) {
			continue
		}
		fmt.Fprintln(os.Stderr, "measuring:", part.name)
		if err := part.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	if b.report.Machine.LoadAfter, err = loadAverage(); err != nil {
		return err
	}
	b.report.print(os.Stdout)
	if out == "" {
		return nil
	}
	return b.report.write(out)
}
