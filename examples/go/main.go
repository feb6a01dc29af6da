// Consume prints the newest value of each key of a topic, read to its end: go run . [TOPIC]
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

// media has the wanted fields of instagram.media; Avro skips the others. A pointer is nil where
// the API returned no value.
type media struct {
	ID                string  `avro:"id" json:"id"`
	BusinessAccountID string  `avro:"business_account_id" json:"business_account_id"`
	Caption           *string `avro:"caption" json:"caption"`
	LikeCount         *int64  `avro:"like_count" json:"like_count"`
}

func main() {
	topic := "instagram.media"
	if len(os.Args) > 1 {
		topic = os.Args[1]
	}
	newest, err := readNewest(context.Background(), topic)
	if err != nil {
		log.Fatalf("%s: %v", topic, err)
	}
	for key, value := range newest {
		line, err := json.Marshal(value)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(key, string(line))
	}
}

// readNewest returns the newest value of each key, up to the current end of the topic.
func readNewest(ctx context.Context, topic string) (map[string]media, error) {
	registry, err := sr.NewClient(sr.URLs(os.Getenv("SCHEMA_REGISTRY_URL")))
	if err != nil {
		return nil, err
	}
	client, err := kgo.NewClient(
		kgo.SeedBrokers(strings.Split(os.Getenv("KAFKA_BROKERS"), ",")...),
		kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		// Records of aborted transactions are skipped.
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		// Transaction markers are kept: the last offset of a partition is one.
		kgo.KeepControlRecords(),
	)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	ends, err := endOffsets(ctx, kadm.NewClient(client), topic)
	if err != nil {
		return nil, err
	}

	decoder := decoder{registry: registry, schemas: map[int]avro.Schema{}}
	newest := map[string]media{}
	for len(ends) > 0 {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return nil, err
		}
		for _, record := range fetches.Records() {
			if record.Offset+1 >= ends[record.Partition] {
				delete(ends, record.Partition)
			}
			key := string(record.Key)
			switch {
			case record.Attrs.IsControl():
			case record.Value == nil: // A tombstone: the key was deleted.
				delete(newest, key)
			default:
				var value media
				if err := decoder.decode(ctx, record.Value, &value); err != nil {
					return nil, err
				}
				newest[key] = value
			}
		}
	}
	return newest, nil
}

// endOffsets returns the end of each partition that has records, and an error if the topic does
// not exist.
func endOffsets(ctx context.Context, admin *kadm.Client, topic string) (map[int32]int64, error) {
	starts, err := admin.ListStartOffsets(ctx, topic)
	if err != nil {
		return nil, err
	}
	listed, err := admin.ListCommittedOffsets(ctx, topic)
	if err != nil {
		return nil, err
	}
	ends := map[int32]int64{}
	listed.Each(func(end kadm.ListedOffset) {
		start, _ := starts.Lookup(topic, end.Partition)
		if end.Offset > start.Offset {
			ends[end.Partition] = end.Offset
		}
	})
	return ends, listed.Error()
}

// decoder decodes values in Confluent's wire format.
type decoder struct {
	registry *sr.Client
	schemas  map[int]avro.Schema
}

// decode reads a value with the schema that wrote it, which its first bytes name.
func (d *decoder) decode(ctx context.Context, value []byte, into *media) error {
	var header sr.ConfluentHeader
	id, body, err := header.DecodeID(value)
	if err != nil {
		return err
	}
	if d.schemas[id] == nil {
		found, err := d.registry.SchemaByID(ctx, id)
		if err != nil {
			return err
		}
		// A cache of its own: all versions of a schema have the same name.
		schema, err := avro.ParseWithCache(found.Schema, "", &avro.SchemaCache{})
		if err != nil {
			return err
		}
		d.schemas[id] = schema
	}
	return avro.Unmarshal(d.schemas[id], body, into)
}
