var errorFunctions=(()=>{var G0=Object.create;var f=Object.defineProperty;var j0=Object.getOwnPropertyDescriptor;var k0=Object.getOwnPropertyNames;var H0=Object.getPrototypeOf,J0=Object.prototype.hasOwnProperty;var u=(r,i)=>()=>{try{return i||r((i={exports:{}}).exports,i),i.exports}catch(e){throw i=0,e}},K0=(r,i)=>{for(var e in i)f(r,e,{get:i[e],enumerable:!0})},C=(r,i,e,n)=>{if(i&&typeof i=="object"||typeof i=="function")for(let a of k0(i))!J0.call(r,a)&&a!==e&&f(r,a,{get:()=>i[a],enumerable:!(n=j0(i,a))||n.enumerable});return r};var L=(r,i,e)=>(e=r!=null?G0(H0(r)):{},C(i||!r||!r.__esModule?f(e,"default",{value:r,enumerable:!0}):e,r)),Z0=r=>C(f({},"__esModule",{value:!0}),r);var F=u((we,P)=>{"use strict";function $0(r){return r!==r}P.exports=$0});var p=u((_e,E)=>{"use strict";var x0=F();E.exports=x0});var c=u((Be,T)=>{T.exports=Math.exp});var S=u((de,Q)=>{Q.exports=Uint32Array});var m=u((Ue,R)=>{R.exports=Float64Array});var _=u((We,w)=>{w.exports=Uint8Array});var d=u((be,B)=>{B.exports=Uint16Array});var W=u((Oe,U)=>{"use strict";var rr=_(),er=d(),tr={uint16:er,uint8:rr};U.exports=tr});var V=u((Ye,Y)=>{"use strict";var b=W(),O;function ur(){var r,i;return r=new b.uint16(1),r[0]=4660,i=new b.uint8(r.buffer),i[0]===52}O=ur();Y.exports=O});var M=u((Ve,X)=>{"use strict";var ir=V();X.exports=ir});var z=u((Xe,g)=>{"use strict";var ar=M(),q;ar===!0?q=0:q=1;g.exports=q});var D=u((Me,h)=>{"use strict";var nr=S(),sr=m(),vr=z(),y=new sr(1),or=new nr(y.buffer);function fr(r,i){return y[0]=r,or[vr]=i>>>0,y[0]}h.exports=fr});var A=u((ge,G)=>{"use strict";var lr=D();G.exports=lr});var N=u((ze,j)=>{"use strict";var pr=Number.POSITIVE_INFINITY;j.exports=pr});var H=u((he,k)=>{"use strict";k.exports=Number});var K=u((De,J)=>{"use strict";var cr=H();J.exports=cr});var I=u((Ge,Z)=>{"use strict";var qr=K(),yr=qr.NEGATIVE_INFINITY;Z.exports=yr});var x=u((je,$)=>{"use strict";function Ar(r){return r===0?-.3250421072470015:-.3250421072470015+r*(-.02848174957559851+r*(-.005770270296489442+r*-23763016656650163e-21))}$.exports=Ar});var e0=u((ke,r0)=>{"use strict";function Nr(r){return r===0?.39791722395915535:.39791722395915535+r*(.0650222499887673+r*(.005081306281875766+r*(.00013249473800432164+r*-3960228278775368e-21)))}r0.exports=Nr});var u0=u((He,t0)=>{"use strict";function Ir(r){return r===0?.41485611868374833:.41485611868374833+r*(-.3722078760357013+r*(.31834661990116175+r*(-.11089469428239668+r*(.035478304325618236+r*-.002166375594868791))))}t0.exports=Ir});var a0=u((Je,i0)=>{"use strict";function Cr(r){return r===0?.10642088040084423:.10642088040084423+r*(.540397917702171+r*(.07182865441419627+r*(.12617121980876164+r*(.01363708391202905+r*.011984499846799107))))}i0.exports=Cr});var s0=u((Ke,n0)=>{"use strict";function Lr(r){return r===0?-.6938585727071818:-.6938585727071818+r*(-10.558626225323291+r*(-62.375332450326006+r*(-162.39666946257347+r*(-184.60509290671104+r*(-81.2874355063066+r*-9.814329344169145)))))}n0.exports=Lr});var o0=u((Ze,v0)=>{"use strict";function Pr(r){return r===0?19.651271667439257:19.651271667439257+r*(137.65775414351904+r*(434.56587747522923+r*(645.3872717332679+r*(429.00814002756783+r*(108.63500554177944+r*(6.570249770319282+r*-.0604244152148581))))))}v0.exports=Pr});var l0=u(($e,f0)=>{"use strict";function Fr(r){return r===0?-.799283237680523:-.799283237680523+r*(-17.757954917754752+r*(-160.63638485582192+r*(-637.5664433683896+r*(-1025.0951316110772+r*-483.5191916086514))))}f0.exports=Fr});var c0=u((xe,p0)=>{"use strict";function Er(r){return r===0?30.33806074348246:30.33806074348246+r*(325.7925129965739+r*(1536.729586084437+r*(3199.8582195085955+r*(2553.0504064331644+r*(474.52854120695537+r*-22.44095244658582)))))}p0.exports=Er});var I0=u((r1,N0)=>{"use strict";var Tr=p(),q0=c(),Qr=A(),Sr=N(),Rr=I(),mr=x(),wr=e0(),_r=u0(),Br=a0(),dr=s0(),Ur=o0(),Wr=l0(),br=c0(),y0=1e-300,Or=2848094538889218e-321,Yr=3725290298461914e-24,A0=.8450629115104675,Vr=.1283791670955126,Xr=1.0270333367641007,Mr=.12837916709551256,gr=1,zr=-.0023621185607526594,hr=1,Dr=-.009864944034847148,Gr=1,jr=-.0098649429247001,kr=1;function Hr(r){var i,e,n,a,t,o,s,v;return Tr(r)?NaN:r===Sr?1:r===Rr?-1:r===0?r:(r<0?(i=!0,e=-r):(i=!1,e=r),e<.84375?e<Yr?e<Or?.125*(8*r+Xr*r):r+Vr*r:(n=r*r,a=Mr+n*mr(n),t=gr+n*wr(n),o=a/t,r+r*o):e<1.25?(t=e-1,s=zr+t*_r(t),v=hr+t*Br(t),i?-A0-s/v:A0+s/v):e>=6?i?y0-1:1-y0:(t=1/(e*e),e<2.857142857142857?(a=Dr+t*dr(t),t=Gr+t*Ur(t)):(a=jr+t*Wr(t),t=kr+t*br(t)),n=Qr(e,0),a=q0(-(n*n)-.5625)*q0((n-e)*(n+e)+a/t),i?a/e-1:1-a/e))}N0.exports=Hr});var L0=u((e1,C0)=>{"use strict";var Jr=I0();C0.exports=Jr});var F0=u((t1,P0)=>{"use strict";function Kr(r){return r===0?-.3250421072470015:-.3250421072470015+r*(-.02848174957559851+r*(-.005770270296489442+r*-23763016656650163e-21))}P0.exports=Kr});var T0=u((u1,E0)=>{"use strict";function Zr(r){return r===0?.39791722395915535:.39791722395915535+r*(.0650222499887673+r*(.005081306281875766+r*(.00013249473800432164+r*-3960228278775368e-21)))}E0.exports=Zr});var S0=u((i1,Q0)=>{"use strict";function $r(r){return r===0?.41485611868374833:.41485611868374833+r*(-.3722078760357013+r*(.31834661990116175+r*(-.11089469428239668+r*(.035478304325618236+r*-.002166375594868791))))}Q0.exports=$r});var m0=u((a1,R0)=>{"use strict";function xr(r){return r===0?.10642088040084423:.10642088040084423+r*(.540397917702171+r*(.07182865441419627+r*(.12617121980876164+r*(.01363708391202905+r*.011984499846799107))))}R0.exports=xr});var _0=u((n1,w0)=>{"use strict";function re(r){return r===0?-.6938585727071818:-.6938585727071818+r*(-10.558626225323291+r*(-62.375332450326006+r*(-162.39666946257347+r*(-184.60509290671104+r*(-81.2874355063066+r*-9.814329344169145)))))}w0.exports=re});var d0=u((s1,B0)=>{"use strict";function ee(r){return r===0?19.651271667439257:19.651271667439257+r*(137.65775414351904+r*(434.56587747522923+r*(645.3872717332679+r*(429.00814002756783+r*(108.63500554177944+r*(6.570249770319282+r*-.0604244152148581))))))}B0.exports=ee});var W0=u((v1,U0)=>{"use strict";function te(r){return r===0?-.799283237680523:-.799283237680523+r*(-17.757954917754752+r*(-160.63638485582192+r*(-637.5664433683896+r*(-1025.0951316110772+r*-483.5191916086514))))}U0.exports=te});var O0=u((o1,b0)=>{"use strict";function ue(r){return r===0?30.33806074348246:30.33806074348246+r*(325.7925129965739+r*(1536.729586084437+r*(3199.8582195085955+r*(2553.0504064331644+r*(474.52854120695537+r*-22.44095244658582)))))}b0.exports=ue});var M0=u((f1,X0)=>{"use strict";var ie=p(),Y0=c(),ae=A(),ne=N(),se=I(),ve=F0(),oe=T0(),fe=S0(),le=m0(),pe=_0(),ce=d0(),qe=W0(),ye=O0(),l=1e-300,Ae=13877787807814457e-33,V0=.8450629115104675,Ne=.12837916709551256,Ie=1,Ce=-.0023621185607526594,Le=1,Pe=-.009864944034847148,Fe=1,Ee=-.0098649429247001,Te=1;function Qe(r){var i,e,n,a,t,o,s,v;if(ie(r))return NaN;if(r===ne)return 0;if(r===se)return 2;if(r===0)return 1;if(r<0?(i=!0,e=-r):(i=!1,e=r),e<.84375)return e<Ae?1-r:(n=r*r,a=Ne+n*ve(n),t=Ie+n*oe(n),o=a/t,r<.25?1-(r+r*o):(a=r*o,a+=r-.5,.5-a));if(e<1.25)return t=e-1,s=Ce+t*fe(t),v=Le+t*le(t),i?1+V0+s/v:1-V0-s/v;if(e<28){if(t=1/(e*e),e<2.857142857142857)a=Pe+t*pe(t),t=Fe+t*ce(t);else{if(r<-6)return 2-l;a=Ee+t*qe(t),t=Te+t*ye(t)}return n=ae(e,0),a=Y0(-(n*n)-.5625)*Y0((n-e)*(n+e)+a/t),i?2-a/e:a/e}return i?2-l:l*l}X0.exports=Qe});var z0=u((l1,g0)=>{"use strict";var Se=M0();g0.exports=Se});var Re={};K0(Re,{erf:()=>h0.default,erfc:()=>D0.default});var h0=L(L0()),D0=L(z0());return Z0(Re);})();
/*! Bundled license information:

@stdlib/math-base-assert-is-nan/lib/main.js:
@stdlib/math-base-assert-is-nan/lib/index.js:
@stdlib/assert-is-little-endian/lib/ctors.js:
@stdlib/assert-is-little-endian/lib/main.js:
@stdlib/assert-is-little-endian/lib/index.js:
@stdlib/number-float64-base-set-low-word/lib/low.js:
@stdlib/number-float64-base-set-low-word/lib/main.js:
@stdlib/number-float64-base-set-low-word/lib/index.js:
@stdlib/constants-float64-pinf/lib/index.js:
@stdlib/number-ctor/lib/main.js:
@stdlib/number-ctor/lib/index.js:
@stdlib/constants-float64-ninf/lib/index.js:
@stdlib/math-base-special-erf/lib/index.js:
@stdlib/math-base-special-erfc/lib/index.js:
  (**
  * @license Apache-2.0
  *
  * Copyright (c) 2018 The Stdlib Authors.
  *
  * Licensed under the Apache License, Version 2.0 (the "License");
  * you may not use this file except in compliance with the License.
  * You may obtain a copy of the License at
  *
  *    http://www.apache.org/licenses/LICENSE-2.0
  *
  * Unless required by applicable law or agreed to in writing, software
  * distributed under the License is distributed on an "AS IS" BASIS,
  * WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
  * See the License for the specific language governing permissions and
  * limitations under the License.
  *)

@stdlib/math-base-special-erf/lib/polyval_pp.js:
@stdlib/math-base-special-erf/lib/polyval_qq.js:
@stdlib/math-base-special-erf/lib/polyval_pa.js:
@stdlib/math-base-special-erf/lib/polyval_qa.js:
@stdlib/math-base-special-erf/lib/polyval_ra.js:
@stdlib/math-base-special-erf/lib/polyval_sa.js:
@stdlib/math-base-special-erf/lib/polyval_rb.js:
@stdlib/math-base-special-erf/lib/polyval_sb.js:
@stdlib/math-base-special-erfc/lib/polyval_pp.js:
@stdlib/math-base-special-erfc/lib/polyval_qq.js:
@stdlib/math-base-special-erfc/lib/polyval_pa.js:
@stdlib/math-base-special-erfc/lib/polyval_qa.js:
@stdlib/math-base-special-erfc/lib/polyval_ra.js:
@stdlib/math-base-special-erfc/lib/polyval_sa.js:
@stdlib/math-base-special-erfc/lib/polyval_rb.js:
@stdlib/math-base-special-erfc/lib/polyval_sb.js:
  (**
  * @license Apache-2.0
  *
  * Copyright (c) 2022 The Stdlib Authors.
  *
  * Licensed under the Apache License, Version 2.0 (the "License");
  * you may not use this file except in compliance with the License.
  * You may obtain a copy of the License at
  *
  *    http://www.apache.org/licenses/LICENSE-2.0
  *
  * Unless required by applicable law or agreed to in writing, software
  * distributed under the License is distributed on an "AS IS" BASIS,
  * WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
  * See the License for the specific language governing permissions and
  * limitations under the License.
  *)

@stdlib/math-base-special-erf/lib/main.js:
@stdlib/math-base-special-erfc/lib/main.js:
  (**
  * @license Apache-2.0
  *
  * Copyright (c) 2018 The Stdlib Authors.
  *
  * Licensed under the Apache License, Version 2.0 (the "License");
  * you may not use this file except in compliance with the License.
  * You may obtain a copy of the License at
  *
  *    http://www.apache.org/licenses/LICENSE-2.0
  *
  * Unless required by applicable law or agreed to in writing, software
  * distributed under the License is distributed on an "AS IS" BASIS,
  * WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
  * See the License for the specific language governing permissions and
  * limitations under the License.
  *
  *
  * ## Notice
  *
  * The following copyright, license, and long comment were part of the original implementation available as part of [FreeBSD]{@link https://svnweb.freebsd.org/base/release/9.3.0/lib/msun/src/s_erf.c}. The implementation follows the original, but has been modified for JavaScript.
  *
  * ```text
  * Copyright (C) 1993 by Sun Microsystems, Inc. All rights reserved.
  *
  * Developed at SunPro, a Sun Microsystems, Inc. business.
  * Permission to use, copy, modify, and distribute this
  * software is freely granted, provided that this notice
  * is preserved.
  * ```
  *)
*/
