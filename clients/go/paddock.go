// SPDX-License-Identifier: Apache-2.0

// Package paddock is a small client of Paddock's API, on the standard library only.
//
//	client := paddock.New("http://127.0.0.1:8080", token)
//	wait := int64(20)
//	started, err := client.StartRide(ctx, paddock.StartRideBody{VehicleCode: "GBG-1"}, paddock.StartRideQuery{Wait: &wait})
//
// Each call of the API is a method (calls.go is written from the server's route table). A refusal is a *Refusal with its
// code. A POST gets an Idempotency-Key and is sent again under the same one when the network fails or the server asks for
// patience: what it does happens once. Streams go on by themselves where they were.
package paddock

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Client may be used by many goroutines at once.
type Client struct {
	Server   string
	Token    string
	App      string        // what Paddock-App says: "rider/12"
	Tries    int           // of each request
	Patience time.Duration // before the second try; doubles
	HTTP     *http.Client
}

// New gives a client that tries six times within about eight seconds.
func New(server, token string) *Client {
	return &Client{Server: strings.TrimRight(server, "/"), Token: token, Tries: 6, Patience: 250 * time.Millisecond,
		HTTP: &http.Client{}}
}

// Refusal is a Problem as an error: act on Code, quote TraceID.
type Refusal struct {
	Status     int
	Code       ErrorCode
	Detail     string
	TraceID    string
	Errors     []Fault
	retryAfter time.Duration
}

func (r *Refusal) Error() string {
	text := fmt.Sprintf("%d %s: %s", r.Status, r.Code, r.Detail)
	for _, fault := range r.Errors {
		text += "; " + fault.Field + " " + fault.Why
	}
	return text
}

// Unreachable says that nobody answered. Whether the server acted is unknown: the same Key tells it again.
type Unreachable struct {
	Why error
	Key string
}

func (u *Unreachable) Error() string { return "unreachable: " + u.Why.Error() }
func (u *Unreachable) Unwrap() error { return u.Why }

// Option changes one call.
type Option func(*callOptions)

type callOptions struct{ key string }

// WithKey names the intention of a POST: the same key, the same answer.
func WithKey(key string) Option { return func(o *callOptions) { o.key = key } }

// SentEvent is one event of a stream.
type SentEvent struct {
	ID    string
	Event string
	Data  json.RawMessage
}

func newKey() string {
	var random [16]byte
	if _, err := rand.Read(random[:]); err != nil {
		panic(err)
	}
	return hex.EncodeToString(random[:])
}

func segment(text string) string { return url.PathEscape(text) }

// The query's members that are set, as text.
func queryText(query any) (string, error) {
	if query == nil {
		return "", nil
	}
	text, err := json.Marshal(query)
	if err != nil {
		return "", err
	}
	members := map[string]any{}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&members); err != nil {
		return "", err
	}
	values := url.Values{}
	for name, value := range members {
		values.Set(name, fmt.Sprint(value))
	}
	if len(values) == 0 {
		return "", nil
	}
	return "?" + values.Encode(), nil
}

func (c *Client) request(ctx context.Context, method, target string, body []byte) (*http.Request, error) {
	var reader io.Reader
	if body != nil {
		reader = bytes.NewReader(body)
	}
	request, err := http.NewRequestWithContext(ctx, method, c.Server+target, reader)
	if err != nil {
		return nil, err
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if c.Token != "" {
		request.Header.Set("Authorization", "Bearer "+c.Token)
	}
	if c.App != "" {
		request.Header.Set("Paddock-App", c.App)
	}
	return request, nil
}

func refusalOf(response *http.Response) *Refusal {
	var problem Problem
	text, _ := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	_ = json.Unmarshal(text, &problem)
	refusal := &Refusal{Status: response.StatusCode, Code: problem.Code, TraceID: problem.TraceID, Errors: problem.Errors}
	if problem.Detail != nil {
		refusal.Detail = *problem.Detail
	}
	if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil {
		refusal.retryAfter = time.Duration(seconds) * time.Second
	}
	return refusal
}

func (r *Refusal) again() bool {
	return r.Status == 429 || r.Status == 503 || r.Status == 504 || r.Code == "idempotency_in_flight"
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

func (c *Client) once(ctx context.Context, method, target string, body []byte, key string, answer any) error {
	request, err := c.request(ctx, method, target, body)
	if err != nil {
		return err
	}
	if key != "" {
		request.Header.Set("Idempotency-Key", key)
	}
	response, err := c.HTTP.Do(request)
	if err != nil {
		return &Unreachable{err, key}
	}
	defer response.Body.Close()
	if response.StatusCode >= 300 {
		return refusalOf(response)
	}
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return &Unreachable{err, key}
	}
	if answer == nil || len(text) == 0 {
		return nil
	}
	return json.Unmarshal(text, answer)
}

func (c *Client) call(ctx context.Context, method, path string, query, body any, keyed bool, answer any,
	options []Option) error {
	var asked callOptions
	for _, option := range options {
		option(&asked)
	}
	if keyed && asked.key == "" {
		asked.key = newKey()
	}
	if !keyed {
		asked.key = ""
	}
	tail, err := queryText(query)
	if err != nil {
		return err
	}
	var text []byte
	if body != nil {
		if text, err = json.Marshal(body); err != nil {
			return err
		}
	}
	wait := c.Patience
	for tried := 1; ; tried++ {
		err := c.once(ctx, method, path+tail, text, asked.key, answer)
		var refusal *Refusal
		var unreachable *Unreachable
		again := false
		pause := wait
		if errors.As(err, &refusal) {
			again = refusal.again()
			if refusal.retryAfter > pause {
				pause = refusal.retryAfter
			}
		} else if errors.As(err, &unreachable) {
			again = method != "POST" || keyed // only what may safely be said twice
		}
		if !again || tried >= c.Tries || ctx.Err() != nil {
			return err
		}
		if err := sleep(ctx, pause); err != nil {
			return err
		}
		wait *= 2
	}
}

// Gives events to `each` until that returns an error, which comes back, or the context ends.
func (c *Client) stream(ctx context.Context, path string, query any, lastEventID string, each func(SentEvent) error) error {
	tail, err := queryText(query)
	if err != nil {
		return err
	}
	for failed := 0; ; {
		heard, err := c.listen(ctx, path+tail, &lastEventID, each)
		var refusal *Refusal
		var stop *stopped
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, &stop):
			return stop.why
		case errors.As(err, &refusal) && !refusal.again():
			return refusal
		}
		if heard {
			failed = 0
		}
		if failed++; failed >= c.Tries {
			return &Unreachable{Why: fmt.Errorf("the stream does not come back: %w", err)}
		}
		if err := sleep(ctx, c.Patience<<uint(failed)); err != nil {
			return err
		}
	}
}

// What the caller's function returned.
type stopped struct{ why error }

func (s *stopped) Error() string { return s.why.Error() }

func (c *Client) listen(ctx context.Context, target string, lastEventID *string, each func(SentEvent) error) (bool, error) {
	request, err := c.request(ctx, "GET", target, nil)
	if err != nil {
		return false, &stopped{err}
	}
	request.Header.Set("Accept", "text/event-stream")
	if *lastEventID != "" {
		request.Header.Set("Last-Event-ID", *lastEventID)
	}
	response, err := c.HTTP.Do(request)
	if err != nil {
		return false, err
	}
	defer response.Body.Close()
	if response.StatusCode >= 300 {
		return false, refusalOf(response)
	}
	heard := false
	event := SentEvent{Event: "message"}
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(make([]byte, 65536), 1<<20)
	for lines.Scan() {
		line := lines.Text()
		if line == "" {
			if event.Data != nil {
				heard = true
				if event.ID != "" {
					*lastEventID = event.ID
				}
				if err := each(event); err != nil {
					return true, &stopped{err}
				}
			}
			event = SentEvent{Event: "message"}
			continue
		}
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch name {
		case "id":
			event.ID = value
		case "event":
			event.Event = value
		case "data":
			if event.Data != nil {
				event.Data = append(event.Data, '\n')
			}
			event.Data = append(event.Data, value...)
		}
	}
	if err := lines.Err(); err != nil {
		return heard, err
	}
	return heard, io.ErrUnexpectedEOF
}
