// Command answer asks the Service of an Application over HTTP and prints the
// first line of what it says, so that `make run` shows more than phases. It works
// where the addresses of the cluster are reachable: real nodes on this machine.
//
//	go run ./hack/answer -kubeconfig FILE NAMESPACE/SERVICE
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

func main() {
	kubeconfig := flag.String("kubeconfig", "", "kubeconfig of the cluster")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	url, line, err := ask(ctx, *kubeconfig, flag.Arg(0))
	if err != nil {
		fmt.Fprintln(os.Stderr, "answer:", err)
		os.Exit(1)
	}
	fmt.Printf("%s answers: %s\n", url, line)
}

func ask(ctx context.Context, kubeconfig, service string) (url, line string, err error) {
	namespace, name, ok := strings.Cut(service, "/")
	if !ok {
		return "", "", fmt.Errorf("want NAMESPACE/SERVICE, got %q", service)
	}
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return "", "", err
	}
	k8s, err := kubernetes.NewForConfig(config)
	if err != nil {
		return "", "", err
	}
	svc, err := k8s.CoreV1().Services(namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return "", "", err
	}
	if len(svc.Spec.Ports) == 0 {
		return "", "", fmt.Errorf("service %q has no port", service)
	}
	url = fmt.Sprintf("http://%s:%d", svc.Spec.ClusterIP, svc.Spec.Ports[0].Port)
	line, err = get(ctx, url)
	return url, line, err
}

func get(ctx context.Context, url string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return "", err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	line, err := bufio.NewReader(res.Body).ReadString('\n')
	if line == "" && err != nil {
		return "", err
	}
	return strings.TrimSpace(line), nil
}
