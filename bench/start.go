package main

import (
	"context"
	"os"
	"time"
)

// settle is how long a server may rest before its idle memory counts.
const settle = time.Second

// measureStart measures what can be seen before the first call of a function.
func (b *bench) measureStart(ctx context.Context) error {
	info, err := os.Stat(b.binary)
	if err != nil {
		return err
	}
	b.report.add("binary", "MB", series{float64(info.Size()) / 1e6}, "", nil, bar{atMost: 60})
	var fresh, again, idle series
	for range b.rounds {
		data, err := os.MkdirTemp(b.dir, "start-")
		if err != nil {
			return err
		}
		for _, times := range []*series{&fresh, &again} {
			took, mb, err := b.startOnce(ctx, data)
			if err != nil {
				return err
			}
			*times = append(*times, took)
			idle = append(idle, mb)
		}
	}
	b.report.add("ready: exec to first API answer, new data directory", "ms", fresh, "", nil, bar{atMost: 100})
	b.report.add("ready: the same, old data directory", "ms", again, "", nil, bar{atMost: 100})
	b.report.add("idle memory (RSS)", "MiB", idle, "", nil, bar{atMost: 40})
	return nil
}

func (b *bench) startOnce(ctx context.Context, data string) (ready, idleMB float64, err error) {
	s, err := b.startServer(ctx, data)
	if err != nil {
		return 0, 0, err
	}
	time.Sleep(settle)
	if idleMB, err = residentMB(s.pid()); err != nil {
		return 0, 0, err
	}
	return millis(s.ready), idleMB, s.stop()
}
