// Consume prints the newest value of each key of instagram.media, read to its end: go run .
//
// Settings: KAFKA_BROKERS, SCHEMA_REGISTRY_URL.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/hamba/avro/v2"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr"
)

// media has the fields that a consumer wants; Avro skips the others. A pointer is null where the
// API left the field out.
type media struct {
	ID                string  `avro:"id" json:"id"`
	BusinessAccountID string  `avro:"business_account_id" json:"business_account_id"`
	Caption           *string `avro:"caption" json:"caption"`
	LikeCount         *int64  `avro:"like_count" json:"like_count"`
}

func main() {
	ctx := context.Background()
	topic := "instagram.media"
	brokers := strings.Split(os.Getenv("KAFKA_BROKERS"), ",")
	client, err := kgo.NewClient(
		kgo.SeedBrokers(brokers...),
		kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		// Records of aborted transactions are skipped.
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		// Transaction markers are kept: the last offset of a partition is one.
		kgo.KeepControlRecords(),
	)
	check(err)
	defer client.Close()
	registry, err := sr.NewClient(sr.URLs(os.Getenv("SCHEMA_REGISTRY_URL")))
	check(err)
	ends, err := kadm.NewClient(client).ListCommittedOffsets(ctx, topic)
	check(err)
	left := map[int32]int64{}
	ends.Each(func(end kadm.ListedOffset) {
		if end.Offset > 0 {
			left[end.Partition] = end.Offset
		}
	})

	schemas := map[int]avro.Schema{}
	newest := map[string]media{}
	for len(left) > 0 {
		fetches := client.PollFetches(ctx)
		check(fetches.Err())
		fetches.EachRecord(func(record *kgo.Record) {
			if record.Offset+1 >= left[record.Partition] {
				delete(left, record.Partition)
			}
			if record.Attrs.IsControl() {
				return
			}
			if record.Value == nil { // a tombstone: it is gone
				delete(newest, string(record.Key))
				return
			}
			var header sr.ConfluentHeader
			id, body, err := header.DecodeID(record.Value)
			check(err)
			if schemas[id] == nil {
				found, err := registry.SchemaByID(ctx, id)
				check(err)
				schemas[id] = avro.MustParse(found.Schema)
			}
			var value media
			check(avro.Unmarshal(schemas[id], body, &value))
			newest[string(record.Key)] = value
		})
	}
	for key, value := range newest {
		line, err := json.Marshal(value)
		check(err)
		fmt.Println(key, string(line))
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
