package main

import (
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var groupVersion = schema.GroupVersion{Group: "dealguard.io", Version: "v1alpha1"}

// ContractAnalysis, with the fields that the twin reads or writes; the spec is carried along as it is.
type ContractAnalysis struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              runtime.RawExtension `json:"spec,omitempty"`
	Status            Status               `json:"status,omitempty"`
}

// ContractAnalysisList is a list of them.
type ContractAnalysisList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []ContractAnalysis `json:"items"`
}

// Status of an analysis.
type Status struct {
	Phase              string                `json:"phase,omitempty"`
	Stage              string                `json:"stage,omitempty"`
	Run                int                   `json:"run,omitempty"`
	ObservedGeneration int64                 `json:"observedGeneration,omitempty"`
	JobName            string                `json:"jobName,omitempty"`
	Conditions         []metav1.Condition    `json:"conditions,omitempty"`
	Result             *runtime.RawExtension `json:"result,omitempty"`
	Usage              *runtime.RawExtension `json:"usage,omitempty"`
}

// setConditions derives the conditions from the phase; a transition time moves only with the condition's status.
func (s *Status) setConditions(reason, message string, before []metav1.Condition) {
	isTerminal := s.Phase == "Completed" || s.Phase == "Failed"
	s.Conditions = append([]metav1.Condition(nil), before...)
	for kind, isTrue := range map[string]bool{
		"Ready":       s.Phase == "Completed",
		"Reconciling": !isTerminal,
		"Finished":    isTerminal,
	} {
		status := metav1.ConditionFalse
		if isTrue {
			status = metav1.ConditionTrue
		}
		meta.SetStatusCondition(&s.Conditions, metav1.Condition{
			Type: kind, Status: status, Reason: reason, Message: message, ObservedGeneration: s.ObservedGeneration,
		})
	}
}

// DeepCopy copies a status.
func (s *Status) DeepCopy() *Status {
	out := *s
	out.Conditions = append([]metav1.Condition(nil), s.Conditions...)
	if s.Result != nil {
		out.Result = s.Result.DeepCopy()
	}
	if s.Usage != nil {
		out.Usage = s.Usage.DeepCopy()
	}
	return &out
}

// DeepCopyObject copies an analysis.
func (a *ContractAnalysis) DeepCopyObject() runtime.Object {
	out := &ContractAnalysis{TypeMeta: a.TypeMeta, Spec: *a.Spec.DeepCopy(), Status: *a.Status.DeepCopy()}
	a.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	return out
}

// DeepCopyObject copies a list.
func (l *ContractAnalysisList) DeepCopyObject() runtime.Object {
	out := &ContractAnalysisList{TypeMeta: l.TypeMeta, Items: make([]ContractAnalysis, 0, len(l.Items))}
	l.ListMeta.DeepCopyInto(&out.ListMeta)
	for i := range l.Items {
		out.Items = append(out.Items, *l.Items[i].DeepCopyObject().(*ContractAnalysis))
	}
	return out
}

func addToScheme(scheme *runtime.Scheme) {
	scheme.AddKnownTypes(groupVersion, &ContractAnalysis{}, &ContractAnalysisList{})
	metav1.AddToGroupVersion(scheme, groupVersion)
}
