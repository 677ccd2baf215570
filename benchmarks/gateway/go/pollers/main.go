// Command pollers is N clients, each of which polls its contract every few seconds over a connection of its own, as
// the page does: the next question comes a fixed time after the last answer, with the ETag of the last answer.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A target is what one client asks for, a line of the file of targets.
type target struct {
	Path  string `json:"path"`
	Token string `json:"token"`
}

// A result is what all clients saw between the end of the warm-up and the end.
type result struct {
	Clients     int            `json:"clients"`
	Polls       int            `json:"polls"`
	AllPolls    int            `json:"all_polls"` // with those of the warm-up
	NotModified int            `json:"not_modified"`
	Reconnects  int            `json:"reconnects"`
	Errors      map[string]int `json:"errors"`
	P50         float64        `json:"p50_ms"`
	P90         float64        `json:"p90_ms"`
	P99         float64        `json:"p99_ms"`
	Max         float64        `json:"max_ms"`
	CPUSeconds  float64        `json:"generator_cpu_seconds"`
}

type client struct {
	address     string
	target      target
	useETags    bool
	etag        string
	conn        net.Conn
	reader      *bufio.Reader
	latencies   []float64
	polls       int
	notModified int
	reconnects  int
	errors      map[string]int
}

func main() {
	address := flag.String("address", "", "host:port of the server")
	targets := flag.String("targets", "", "file of JSON lines: path, token")
	clients := flag.Int("clients", 100, "how many")
	interval := flag.Duration("interval", 3*time.Second, "from an answer to the next question")
	warm := flag.Duration("warm", 6*time.Second, "not measured; all clients begin in its first interval")
	measure := flag.Duration("measure", 12*time.Second, "measured")
	useETags := flag.Bool("etags", true, "send If-None-Match")
	flag.Parse()

	known, err := read(*targets)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	begin := time.Now()
	from, until := begin.Add(*warm), begin.Add(*warm+*measure)
	all := make([]*client, *clients)
	var group sync.WaitGroup
	for number := range all {
		one := &client{address: *address, target: known[number%len(known)], useETags: *useETags, errors: map[string]int{}}
		all[number] = one
		group.Add(1)
		go func() {
			defer group.Done()
			time.Sleep(rand.N(*interval))
			one.run(*interval, from, until)
		}()
	}
	group.Wait()
	if err := json.NewEncoder(os.Stdout).Encode(sum(all)); err != nil {
		os.Exit(1)
	}
}

func read(path string) ([]target, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var targets []target
	decoder := json.NewDecoder(file)
	for {
		var one target
		if err := decoder.Decode(&one); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		targets = append(targets, one)
	}
	if len(targets) == 0 {
		return nil, fmt.Errorf("%s has no targets", path)
	}
	return targets, nil
}

func (c *client) run(interval time.Duration, from, until time.Time) {
	defer c.close()
	for time.Now().Before(until) {
		began := time.Now()
		status, err := c.poll()
		c.polls++
		if !began.Before(from) {
			switch {
			case err != nil:
				c.errors[kind(err)]++
			case status == http.StatusOK:
			case status == http.StatusNotModified:
				c.notModified++
			default:
				c.errors[fmt.Sprintf("status %d", status)]++
			}
			// One that failed took its time as well.
			c.latencies = append(c.latencies, float64(time.Since(began).Microseconds())/1000)
		}
		time.Sleep(interval)
	}
}

// poll asks once. A connection that the server has closed meanwhile is made anew, as a browser does.
func (c *client) poll() (int, error) {
	if c.conn != nil {
		status, err := c.ask()
		if err == nil {
			return status, nil
		}
		c.close()
		if !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) {
			return 0, err
		}
		c.reconnects++
	}
	conn, err := net.DialTimeout("tcp", c.address, 10*time.Second)
	if err != nil {
		return 0, err
	}
	c.conn, c.reader = conn, bufio.NewReaderSize(conn, 4096)
	status, err := c.ask()
	if err != nil {
		c.close()
	}
	return status, err
}

func (c *client) ask() (int, error) {
	var question strings.Builder
	fmt.Fprintf(&question, "GET %s HTTP/1.1\r\nHost: %s\r\nAccept: application/json\r\nAuthorization: Bearer %s\r\n",
		c.target.Path, c.address, c.target.Token)
	if c.etag != "" {
		fmt.Fprintf(&question, "If-None-Match: %s\r\n", c.etag)
	}
	question.WriteString("\r\n")
	if err := c.conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return 0, err
	}
	if _, err := io.WriteString(c.conn, question.String()); err != nil {
		return 0, err
	}
	answer, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		return 0, err
	}
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return 0, err
	}
	answer.Body.Close()
	if c.useETags {
		if etag := answer.Header.Get("ETag"); etag != "" {
			c.etag = etag
		}
	}
	if answer.Close {
		c.close()
	}
	return answer.StatusCode, nil
}

func (c *client) close() {
	if c.conn != nil {
		c.conn.Close()
		c.conn = nil
	}
}

func kind(err error) string {
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return "timeout"
	}
	var number syscall.Errno
	if errors.As(err, &number) {
		return number.Error()
	}
	return "broken answer"
}

func sum(clients []*client) result {
	all := result{Clients: len(clients), Errors: map[string]int{}}
	var latencies []float64
	for _, one := range clients {
		latencies = append(latencies, one.latencies...)
		all.AllPolls += one.polls
		all.NotModified += one.notModified
		all.Reconnects += one.reconnects
		for name, count := range one.errors {
			all.Errors[name] += count
		}
	}
	slices.Sort(latencies)
	all.Polls = len(latencies)
	if all.Polls > 0 {
		at := func(percent int) float64 { return latencies[max(0, (len(latencies)*percent+99)/100-1)] }
		all.P50, all.P90, all.P99, all.Max = at(50), at(90), at(99), at(100)
	}
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) == nil {
		all.CPUSeconds = time.Duration(usage.Utime.Nano() + usage.Stime.Nano()).Seconds()
	}
	return all
}
