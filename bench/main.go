// Command bench measures butai side by side with a floor (the least that the
// same work can cost), a ceiling (an HTTP server that does nothing) and what a
// user would pick instead. It prints a table and writes latest.json.
//
// Everything that is compared runs in one process's lifetime, in rounds: A, B,
// A, B, … Each figure is the median of its rounds, each ratio the median of
// the rounds' ratios, so that what else the machine does falls on all alike.
package main

import (
	"cmp"
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
	sizes  sizes
	kinds  []string // of functions that part cold measures; none: all
}

// sizes are how much of something is measured.
type sizes struct {
	cold           int // functions of a kind that are called once each
	deployed, warm int // functions, and how many of them are called
	kills          time.Duration
}

var (
	fullSizes  = sizes{cold: 200, deployed: 1000, warm: 200, kills: 5 * time.Minute}
	shortSizes = sizes{cold: 12, deployed: 40, warm: 8, kills: 2 * time.Second}
)

// or takes what isn't set from others.
func (s sizes) or(others sizes) sizes {
	return sizes{cmp.Or(s.cold, others.cold), cmp.Or(s.deployed, others.deployed), cmp.Or(s.warm, others.warm), cmp.Or(s.kills, others.kills)}
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

// options are what the command line asks for, besides what a bench is made of.
type options struct {
	out  string   // file to write, "" for none
	only []string // parts to measure, all if empty
}

// parse reads the command line.
func parse() (*bench, *options) {
	b, o := &bench{}, &options{}
	var only, kinds string
	flag.BoolVar(&b.short, "short", false, "about a minute, without npm's tools")
	flag.StringVar(&b.binary, "butai", "bin/butai", "binary to measure")
	flag.StringVar(&b.tools, "tools", ".tools", "folder that peers are installed in")
	flag.StringVar(&o.out, "out", "", "file to write; bench/latest.json after a whole run that isn't short")
	flag.StringVar(&only, "part", "", "measure only these parts, with commas between them: start, templates, alone, growth, hostile, gateway, lambda, emulator, neighbours, cold, density, kills or store")
	flag.IntVar(&b.sizes.cold, "cold", 0, "functions of a kind that are called once each; 0: 200, or 12 if short")
	flag.StringVar(&kinds, "kinds", "", "kinds of functions that part cold calls, with commas between them, such as nodejs20.x; all if empty")
	flag.IntVar(&b.sizes.deployed, "deployed", 0, "functions that part density deploys; 0: 1000, or 40 if short")
	flag.IntVar(&b.sizes.warm, "warm", 0, "how many of them it calls; 0: 200, or 8 if short")
	flag.DurationVar(&b.sizes.kills, "kills", 0, "how long part kills kills sandboxes; 0: 5m, or 2s if short")
	flag.Parse()
	if kinds != "" {
		b.kinds = strings.Split(kinds, ",")
	}
	if only != "" {
		o.only = strings.Split(only, ",")
	}
	b.rounds, b.slice = 7, 1500*time.Millisecond
	usual := fullSizes
	if b.short {
		b.rounds, b.slice, usual = 3, 300*time.Millisecond, shortSizes
	} else if o.out == "" && only == "" {
		o.out = filepath.Join("bench", "latest.json")
	}
	b.sizes = b.sizes.or(usual)
	return b, o
}

// part is one thing that is measured.
type part struct {
	name string
	run  func(context.Context) error
}

// parts lists them in the order in which they run.
func (b *bench) parts() []part {
	against := func(name string, run func(context.Context, *server, *deployer) error, flags ...string) part {
		return part{name, func(ctx context.Context) error { return b.withServer(ctx, name, flags, run) }}
	}
	return []part{
		{"start", b.measureStart},
		{"templates", b.measureTemplates},
		against("alone", b.measureAlone),
		{"growth", b.measureGrowth},
		against("hostile", b.measureHostile),
		against("gateway", b.measureGateway),
		against("lambda", b.measureLambda, rubyFlags()...),
		against("emulator", b.measureEmulator),
		against("neighbours", b.measureNeighbours),
		{"cold", b.measureCold},
		against("density", b.measureDensity),
		against("kills", b.measureKills),
		against("store", b.measureStore),
	}
}

func run(ctx context.Context) (err error) {
	b, o := parse()
	if b.dir, err = os.MkdirTemp("", "butai-bench-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	if b.report.Machine, err = describeMachine(); err != nil {
		return err
	}
	b.report.Date = time.Now().UTC().Format(time.RFC3339)
	for _, p := range b.parts() {
		if len(o.only) > 0 && !slices.Contains(o.only, p.name) {
			continue
		}
		fmt.Fprintln(os.Stderr, "measuring:", p.name)
		if err := p.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	if b.report.Machine.LoadAfter, err = loadAverage(); err != nil {
		return err
	}
	b.report.print(os.Stdout)
	if o.out == "" {
		return nil
	}
	return b.report.write(o.out)
}
