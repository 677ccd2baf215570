{{- define "dealguard.labels" -}}
app.kubernetes.io/name: dealguard
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: dealguard
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "dealguard.selector" -}}
app.kubernetes.io/name: dealguard
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end }}

{{- define "dealguard.operatorName" -}}
{{ .Release.Name }}-operator
{{- end }}
