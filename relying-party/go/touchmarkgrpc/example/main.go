// Command example serves gRPC's health service: its watching to the genuine app alone, its check to
// anybody.
package main

import (
	"flag"
	"log"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"

	"touchmark"
	"touchmark/touchmarkgrpc"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8000", "where to listen")
	flag.Parse()
	guard, err := touchmark.NewGuard(nil)
	if err != nil {
		log.Fatal(err)
	}
	check, err := touchmarkgrpc.New(guard, touchmarkgrpc.ForMethod("/grpc.health.v1.Health/Check", touchmark.InMode(touchmark.Off)))
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer(grpc.UnaryInterceptor(check.Unary), grpc.StreamInterceptor(check.Stream))
	grpc_health_v1.RegisterHealthServer(server, health.NewServer())
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(server.Serve(listener))
}
