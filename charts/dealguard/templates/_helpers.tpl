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

{{- define "dealguard.gatewayName" -}}
{{ .Release.Name }}-gateway
{{- end }}

{{- define "dealguard.gatewaySelector" -}}
app.kubernetes.io/name: dealguard
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: gateway
{{- end }}

{{- /* Where the object storage is, as the environment of a container that logs in there. */}}
{{- define "dealguard.storageEnv" -}}
- name: DEALGUARD_S3_ENDPOINT
  value: {{ required "Set storage.endpoint to the object storage's URL as pods reach it" .Values.storage.endpoint | quote }}
- name: DEALGUARD_S3_REGION
  value: {{ .Values.storage.region | quote }}
- name: DEALGUARD_S3_BUCKET
  value: {{ .Values.storage.bucket | quote }}
{{- $secret := required "Set storage.credentialsSecret to a Secret in the release's namespace with access-key and secret-key" .Values.storage.credentialsSecret }}
- name: DEALGUARD_S3_ACCESS_KEY
  valueFrom:
    secretKeyRef: { name: {{ $secret }}, key: access-key }
- name: DEALGUARD_S3_SECRET_KEY
  valueFrom:
    secretKeyRef: { name: {{ $secret }}, key: secret-key }
{{- end }}

{{- /* The port that a URL names, else its scheme's. */}}
{{- define "dealguard.portOf" -}}
{{- $url := urlParse . }}
{{- regexFind ":[0-9]+$" $url.host | trimPrefix ":" | default (ternary "443" "80" (eq $url.scheme "https")) }}
{{- end }}
