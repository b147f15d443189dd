// SPDX-License-Identifier: Apache-2.0

// One whole ride: example SERVER TOKEN VEHICLE_CODE. Prints what it cost and what was told on the way.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"paddock"
)

var errSettled = errors.New("settled")

// Tells what happens until the ride is settled.
func listen(ctx context.Context, client *paddock.Client) ([]string, error) {
	told := []string{}
	err := client.StreamEvents(ctx, "", func(sent paddock.SentEvent) error {
		var event paddock.Event
		if err := json.Unmarshal(sent.Data, &event); err != nil {
			return err
		}
		if sent.Event != string(paddock.EventKindRideState) || event.RideState == nil {
			told = append(told, sent.Event)
			return nil
		}
		told = append(told, string(*event.RideState))
		if *event.RideState == paddock.RideStateSettled {
			return errSettled
		}
		return nil
	})
	if err == errSettled {
		err = nil
	}
	return told, err
}

func run(ctx context.Context, server, token, code string) error {
	client := paddock.New(server, token)
	client.App = "rider/1"
	wait, limit := int64(30), int64(1)
	var told []string
	over := make(chan error)
	go func() {
		var err error
		told, err = listen(ctx, client)
		over <- err
	}()
	var refused *paddock.Refusal
	_, err := client.StartRide(ctx, paddock.StartRideBody{VehicleCode: "NOBODY"}, paddock.StartRideQuery{})
	if !errors.As(err, &refused) {
		return fmt.Errorf("not refused: %v", err)
	}
	started, err := client.StartRide(ctx, paddock.StartRideBody{VehicleCode: code}, paddock.StartRideQuery{Wait: &wait})
	if err != nil {
		return err
	}
	ride := started.Ride.ID
	if _, err := client.EndRide(ctx, ride, paddock.EndRideQuery{Wait: &wait}); err != nil {
		return err
	}
	if err := <-over; err != nil {
		return err
	}
	receipt, err := client.GetReceipt(ctx, ride)
	if err != nil {
		return err
	}
	mine := []string{}
	for query := (paddock.ListRidesQuery{Limit: &limit}); ; {
		page, err := client.ListRides(ctx, query)
		if err != nil {
			return err
		}
		for _, row := range page.Rides {
			mine = append(mine, row.ID)
		}
		if page.Next == nil {
			break
		}
		query.After = page.Next
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{"ride": ride, "total_minor": receipt.TotalMinor, "told": told,
		"mine": mine, "refused": refused.Code})
}

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: example SERVER TOKEN VEHICLE_CODE")
		os.Exit(2)
	}
	if err := run(context.Background(), os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
