package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/apigateway"
)

// measureHostile measures what slow and hostile clients do to the others: the
// p99 of a few ordinary callers beside each attack, by that of a calm round
// just before.
func (b *bench) measureHostile(ctx context.Context, s *server, _ *deployer) error {
	path, err := deployMock(ctx, apigateway.NewFromConfig(s.sdk()))
	if err != nil {
		return err
	}
	others := &endpoint{address: s.address, roots: []int{s.pid()}, request: always(post(s.address, path, mockBody)), check: expect(mockAnswer)}
	for _, a := range attacks(s.address, path) {
		if err := b.underAttack(ctx, others, a); err != nil {
			return fmt.Errorf("%s: %w", a.name, err)
		}
	}
	return nil
}

const ordinary = 4 // callers beside an attack

func (b *bench) underAttack(ctx context.Context, others *endpoint, a attack) error {
	var calm, attacked series
	for round := range b.rounds + 1 {
		before, err := load(ctx, others, ordinary, effort{time: b.slice})
		if err != nil {
			return err
		}
		during, err := b.beside(ctx, a, others)
		if err != nil {
			return err
		}
		if before.lost+during.lost > 0 {
			return fmt.Errorf("the others lost calls: %w", errors.Join(before.firstError, during.firstError))
		}
		if round > 0 {
			calm, attacked = append(calm, before.p99), append(attacked, during.p99)
		}
	}
	b.report.add("others' p99 beside "+a.name, "ms", attacked, "calm", calm, bar{ratioAtMost: 2})
	return nil
}

// beside loads the others while an attack is under way.
func (b *bench) beside(ctx context.Context, a attack, others *endpoint) (outcome, error) {
	ctx, stop := context.WithCancel(ctx)
	var attackers sync.WaitGroup
	failed := make(chan error, a.clients)
	var under sync.WaitGroup // way
	for range a.clients {
		under.Add(1)
		ready := sync.OnceFunc(under.Done)
		attackers.Go(func() {
			defer ready()
			failed <- a.attack(ctx, ready)
		})
	}
	under.Wait()
	time.Sleep(b.slice / 4)
	o, err := load(ctx, others, ordinary, effort{time: b.slice})
	stop()
	attackers.Wait()
	close(failed)
	for e := range failed {
		err = errors.Join(err, e)
	}
	return o, err
}

// attack is something that a number of clients do until ctx ends, and tell when
// they have begun. They report only that they couldn't do it.
type attack struct {
	name    string
	clients int
	attack  func(ctx context.Context, begun func()) error
}

func attacks(address, path string) []attack {
	head := "POST " + path + " HTTP/1.1\r\nHost: " + address + "\r\n"
	one := string(post(address, path, mockBody))
	large := fmt.Sprintf("%sContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n", head, 10<<20) + strings.Repeat("x", 10<<20)
	wide := head + "X-Wide: " + strings.Repeat("w", 10_000) + "\r\nContent-Length: 0\r\n\r\n"
	return []attack{
		{"500 slow headers", 500, func(ctx context.Context, begun func()) error {
			begun()
			return drip(ctx, address, head+"X-Slow: "+strings.Repeat("s", 1000), 50*time.Millisecond)
		}},
		{"200 slow bodies", 200, func(ctx context.Context, begun func()) error {
			begun()
			return drip(ctx, address, head+"Content-Length: 10000\r\n\r\n"+strings.Repeat("s", 1000), 50*time.Millisecond)
		}},
		{"a client of 10 MB bodies", 1, repeating(address, large, 1, 50*time.Millisecond)},
		{"a client of 10 KB headers", 1, repeating(address, wide, 1, time.Millisecond)},
		{"a client that pipelines 50", 1, repeating(address, strings.Repeat(one, 50), 50, 5*time.Millisecond)},
		{"50 half-closed connections", 50, func(ctx context.Context, begun func()) error {
			begun()
			return halfClose(ctx, address, one)
		}},
		{"5000 idle connections", 50, func(ctx context.Context, begun func()) error {
			return idle(ctx, address, one, 100, begun)
		}},
	}
}

func dial(address string) (*net.TCPConn, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	return conn.(*net.TCPConn), nil
}

// drip sends a request byte by byte; the server may hang up, then it begins
// again.
func drip(ctx context.Context, address, text string, pause time.Duration) error {
	for ctx.Err() == nil {
		conn, err := dial(address)
		if err != nil {
			return err
		}
		for i := 0; i < len(text) && ctx.Err() == nil; i++ {
			if _, err := conn.Write([]byte{text[i]}); err != nil {
				break
			}
			pauseFor(ctx, pause)
		}
		conn.Close()
	}
	return nil
}

// repeating sends text and reads its answers, over and over.
func repeating(address, text string, answers int, pause time.Duration) func(context.Context, func()) error {
	return func(ctx context.Context, begun func()) error {
		begun()
		for ctx.Err() == nil {
			conn, err := dial(address)
			if err != nil {
				return err
			}
			in := bufio.NewReader(conn)
			for err == nil && ctx.Err() == nil { // the server may hang up
				if _, err = io.WriteString(conn, text); err == nil {
					err = readAnswers(in, answers)
				}
				pauseFor(ctx, pause)
			}
			conn.Close()
		}
		return nil
	}
}

// readAnswers reads n answers that say their length.
func readAnswers(in *bufio.Reader, n int) error {
	for range n {
		length := 0
		for {
			line, err := in.ReadSlice('\n')
			if err != nil {
				return err
			}
			if line = bytes.TrimRight(line, "\r\n"); len(line) == 0 {
				break
			}
			if name, value, ok := bytes.Cut(line, []byte(":")); ok && bytes.EqualFold(name, []byte("Content-Length")) {
				if _, err := fmt.Sscan(string(value), &length); err != nil {
					return err
				}
			}
		}
		if _, err := in.Discard(length); err != nil {
			return err
		}
	}
	return nil
}

// halfClose sends a request, says that nothing more will come, and reads the
// answer, which there must be.
func halfClose(ctx context.Context, address, text string) error {
	for ctx.Err() == nil {
		conn, err := dial(address)
		if err != nil {
			return err
		}
		if _, err = io.WriteString(conn, text); err == nil {
			if err = conn.CloseWrite(); err == nil {
				err = readAnswers(bufio.NewReader(conn), 1)
			}
		}
		conn.Close()
		if err != nil {
			return fmt.Errorf("a half-closed connection got no answer: %w", err)
		}
		pauseFor(ctx, 200*time.Millisecond)
	}
	return nil
}

// idle uses n connections once and then holds them.
func idle(ctx context.Context, address, text string, n int, begun func()) error {
	for range n {
		conn, err := dial(address)
		if err != nil {
			return err
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, text); err != nil {
			return err
		}
		if err := readAnswers(bufio.NewReader(conn), 1); err != nil {
			return err
		}
	}
	begun()
	<-ctx.Done()
	return nil
}

func pauseFor(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
