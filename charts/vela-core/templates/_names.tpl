{{- define "vela-core.name" -}}
{{ .Release.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "vela-core.labels" -}}
app.kubernetes.io/name: vela-core
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "vela-core.selector" -}}
app.kubernetes.io/name: vela-core
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
