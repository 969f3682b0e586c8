{{/* Names and what all pods share. */}}
{{- define "careen.name" -}}
{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- define "careen.labels" -}}
app.kubernetes.io/name: careen
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "careen.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{/* Secrets come as files: what is in the environment shows in too many places. */}}
{{- define "careen.environment" -}}
- name: CAREEN_DB_FILE
  value: /run/secrets/careen/database
- name: CAREEN_KEY_FILE
  value: /run/secrets/careen/key
{{- with .Values.objects.address }}
- name: CAREEN_OBJECTS
  value: {{ . | quote }}
{{- end }}
{{- range $name, $value := .Values.objects.variables }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- range .Values.objects.secretKeys }}
- name: {{ . }}_FILE
  value: /run/secrets/careen/{{ . }}
{{- end }}
{{- end }}

{{- define "careen.secrets" -}}
- name: secrets
  secret:
    secretName: {{ .Values.existingSecret }}
    defaultMode: 0440
{{- end }}
