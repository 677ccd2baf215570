// A minimal controller-runtime operator for ContractAnalysis: the yardstick that DealGuard's operator is measured by.
//
// It does the work of a good day and no more: one Job with its Secret, the stages from the pod's container
// states, Completed or Failed from the exit code. No retries told apart, no suspend, cancel, runs, deadlines or fencing
// beyond the resource version.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"os"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

const (
	nameLabel   = "dealguard.io/analysis-name"
	uidLabel    = "dealguard.io/analysis-uid"
	ownedLabel  = "app.kubernetes.io/managed-by"
	operator    = "dealguard-operator"
	podsOf      = "dealguard.analysis"
	workerCount = 16 // as many as DealGuard's operator has
)

type reconciler struct {
	client.Client
	template *batchv1.Job
}

func main() {
	templatePath := flag.String("template", "", "a Job of DealGuard's operator, as JSON")
	flag.Parse()
	ctrl.SetLogger(klog.Background())
	text, err := os.ReadFile(*templatePath)
	must(err)
	template := &batchv1.Job{}
	must(json.Unmarshal(text, template))

	scheme := runtime.NewScheme()
	must(clientgoscheme.AddToScheme(scheme))
	addToScheme(scheme)
	config := ctrl.GetConfigOrDie()
	config.QPS = -1 // no limit of its own: none of those compared has one
	ours := labels.SelectorFromSet(labels.Set{ownedLabel: operator})
	manager, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:  scheme,
		Metrics: metricsserver.Options{BindAddress: "0"},
		Cache: cache.Options{ByObject: map[client.Object]cache.ByObject{
			&batchv1.Job{}: {Label: ours},
			&corev1.Pod{}:  {Label: ours},
		}},
	})
	must(err)
	ctx := ctrl.SetupSignalHandler()
	must(manager.GetFieldIndexer().IndexField(ctx, &corev1.Pod{}, podsOf, func(pod client.Object) []string {
		return []string{pod.GetLabels()[uidLabel]}
	}))
	toAnalysis := handler.EnqueueRequestsFromMapFunc(func(_ context.Context, pod client.Object) []reconcile.Request {
		key := types.NamespacedName{Namespace: pod.GetNamespace(), Name: pod.GetLabels()[nameLabel]}
		return []reconcile.Request{{NamespacedName: key}}
	})
	must(ctrl.NewControllerManagedBy(manager).
		For(&ContractAnalysis{}).
		Owns(&batchv1.Job{}).
		Watches(&corev1.Pod{}, toAnalysis).
		WithOptions(controller.Options{MaxConcurrentReconciles: workerCount}).
		Complete(&reconciler{manager.GetClient(), template}))
	must(manager.Start(ctx))
}

func (r *reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	analysis := &ContractAnalysis{}
	if err := r.Get(ctx, request.NamespacedName, analysis); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	phase := analysis.Status.Phase
	if phase == "Completed" || phase == "Failed" || analysis.DeletionTimestamp != nil {
		return ctrl.Result{}, nil
	}
	if err := r.ensureJob(ctx, analysis); err != nil {
		return ctrl.Result{}, err
	}
	pods := &corev1.PodList{}
	err := r.List(ctx, pods, client.InNamespace(analysis.Namespace), client.MatchingFields{podsOf: string(analysis.UID)})
	if err != nil {
		return ctrl.Result{}, err
	}
	return ctrl.Result{}, ignoreConflict(r.write(ctx, analysis, observed(analysis, pods.Items)))
}

// ensureJob creates the Job and its Secret, unless the cache has the Job.
func (r *reconciler) ensureJob(ctx context.Context, analysis *ContractAnalysis) error {
	key := types.NamespacedName{Namespace: analysis.Namespace, Name: jobName(analysis)}
	err := r.Get(ctx, key, &batchv1.Job{})
	if err == nil || !apierrors.IsNotFound(err) || analysis.Status.JobName != "" {
		return client.IgnoreNotFound(err)
	}
	job := r.job(analysis)
	if err := r.Create(ctx, job); err != nil {
		return client.IgnoreAlreadyExists(err)
	}
	owner := metav1.NewControllerRef(job, batchv1.SchemeGroupVersion.WithKind("Job"))
	owner.BlockOwnerDeletion = nil
	isImmutable := true
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: job.Namespace, Name: job.Name, Labels: job.Labels, OwnerReferences: []metav1.OwnerReference{*owner},
		},
		Immutable:  &isImmutable,
		StringData: map[string]string{},
	}
	for _, volume := range job.Spec.Template.Spec.Volumes {
		if volume.Secret != nil && volume.Secret.SecretName == job.Name {
			for _, item := range volume.Secret.Items {
				secret.StringData[item.Key] = strings.Repeat("x", 400) // a signed URL has about as many characters
			}
		}
	}
	return client.IgnoreAlreadyExists(r.Create(ctx, secret))
}

// job is the template, made this analysis's own.
func (r *reconciler) job(analysis *ContractAnalysis) *batchv1.Job {
	job := r.template.DeepCopy()
	mine := map[string]string{}
	for key, value := range job.Labels {
		mine[key] = value
	}
	mine[nameLabel], mine[uidLabel] = analysis.Name, string(analysis.UID)
	owner := metav1.NewControllerRef(analysis, groupVersion.WithKind("ContractAnalysis"))
	owner.BlockOwnerDeletion = nil
	name := jobName(analysis)
	job.ObjectMeta = metav1.ObjectMeta{
		Namespace: analysis.Namespace, Name: name, Labels: mine, OwnerReferences: []metav1.OwnerReference{*owner},
	}
	job.Spec.Template.Labels = mine
	pod := &job.Spec.Template.Spec
	for i := range pod.Volumes {
		if secret := pod.Volumes[i].Secret; secret != nil && (secret.Optional == nil || !*secret.Optional) {
			secret.SecretName = name
		}
	}
	for i := range pod.Containers {
		for j := range pod.Containers[i].Env {
			if variable := &pod.Containers[i].Env[j]; variable.Name == "DEALGUARD_REPORT_KEY" {
				variable.Value = "reports/" + analysis.Namespace + "/" + string(analysis.UID) + "/1.json"
			}
		}
	}
	return job
}

func (r *reconciler) write(ctx context.Context, analysis *ContractAnalysis, status Status) error {
	if equality.Semantic.DeepEqual(analysis.Status, status) {
		return nil
	}
	analysis.Status = status
	return r.Status().Update(ctx, analysis)
}

// observed is the status that the pods stand for.
func observed(analysis *ContractAnalysis, pods []corev1.Pod) Status {
	status := *analysis.Status.DeepCopy()
	status.Phase, status.Stage, status.JobName = "Processing", "Starting", jobName(analysis)
	status.Run, status.ObservedGeneration = 1, analysis.Generation
	for _, pod := range pods {
		extract, analyze := stateOf(pod.Status.InitContainerStatuses, "extract"), stateOf(pod.Status.ContainerStatuses, "analyze")
		switch {
		case analyze.Terminated != nil:
			return ended(status, analyze.Terminated)
		case extract.Terminated != nil && extract.Terminated.ExitCode != 0:
			return ended(status, extract.Terminated)
		case analyze.Running != nil:
			status.Stage = "Analyzing"
		case extract.Running != nil:
			status.Stage = "Extracting"
		}
	}
	status.setConditions(status.Stage, "It is being analysed.", analysis.Status.Conditions)
	return status
}

func ended(status Status, container *corev1.ContainerStateTerminated) Status {
	outcome := struct {
		Result *runtime.RawExtension `json:"result"`
		Usage  *runtime.RawExtension `json:"usage"`
	}{}
	status.Stage, status.Phase = "", "Failed"
	if container.ExitCode == 0 && json.Unmarshal([]byte(container.Message), &outcome) == nil {
		status.Phase, status.Result, status.Usage = "Completed", outcome.Result, outcome.Usage
	}
	status.setConditions(status.Phase, "It has ended.", status.Conditions)
	return status
}

func stateOf(statuses []corev1.ContainerStatus, name string) corev1.ContainerState {
	for _, status := range statuses {
		if status.Name == name {
			return status.State
		}
	}
	return corev1.ContainerState{}
}

func jobName(analysis *ContractAnalysis) string {
	return analysis.Name + "-" + string(analysis.UID[:8]) + "-1"
}

func ignoreConflict(err error) error {
	if apierrors.IsConflict(err) {
		return nil // the cache lags; its next event brings the analysis back
	}
	return err
}

func must(err error) {
	if err != nil {
		klog.Fatal(err)
	}
}
